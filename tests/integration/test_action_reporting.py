"""Jobs with `report: DIR`: the page shows the branch as the pass left it, and fails nothing that has landed."""

import json
import re

import pytest

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def shown(repository, done):
    """What is on the page that the job names."""
    page = repository.workspace / "site" / "index.html"
    assert done["report"] == str(page)
    return json.loads(DATA.search(page.read_text("utf-8"))[1])


def statuses(document):
    return {f"{run['framework']}/{run['run_id']}": run["status"] for run in document["runs"]}


def test_the_page_has_what_this_pass_has_pushed(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    done = repository.job("13:17", report="site")
    assert (done.code, done["pushed"]) == (0, "true")
    document = shown(repository, done)
    assert (statuses(document), document["runs"][0]["figure"]) == ({"chatdev/a": "pending"}, [500, 10, 0, 1])
    assert [path.name for path in (repository.workspace / "site").iterdir()] == ["index.html"]


def test_a_rehearsal_shows_the_branch_as_it_is(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    document = shown(repository, repository.job("13:17", report="site", dry_run="true"))
    assert statuses(document) == {"chatdev/a": "skipped"}


def test_a_check_needs_no_key_for_it(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    repository.pull()
    repository.job("13:17")
    done = repository.job("13:20", mode="check", report="site", openai_admin_key="")
    assert (done.code, statuses(shown(repository, done))) == (0, {"chatdev/a": "pending"})


def test_the_comparison_of_the_job_is_on_it(repository):
    done = repository.job("13:17", report="site", compare="true", fail_on="never")
    (saved,) = shown(repository, done)["comparisons"]
    assert (saved["name"], saved["document"]["verdict"]) == ("the comparison of this job", "no_data")


def test_ids_of_keys_are_hashed_where_the_workflow_says_so(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    document = shown(repository, repository.job("13:17", report="site", report_hash_keys="true"))
    assert [bool(re.fullmatch("key-[0-9a-f]{12}", name)) for name in document["keys"]] == [True]


@pytest.mark.parametrize(("target", "named"), [("../outside", "site"), (".git", "site"), (".", "site/.git/page")])
def test_no_link_of_the_branch_is_in_the_way_of_the_page(repository, target, named):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    (repository.workspace / "../outside").mkdir()
    (repository.workspace / "site").symlink_to(target)
    done = repository.job("13:17", report=named)
    assert (done.code, done["pushed"], done["report"]) == (1, "true", "")
    assert list((repository.workspace / "..").rglob("index.html")) == []
    assert "report&#95;outside" in done.summary


def test_a_link_in_the_branch_that_leads_to_itself_is_an_error_of_the_job(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    (repository.workspace / "site").symlink_to("site")
    done = repository.job("13:17", report="site")
    assert (done.code, done["pushed"], done["report"]) == (3, "true", "")


def test_a_folder_that_cannot_be_written_is_an_error_of_the_job_and_the_pass_stands(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    (repository.workspace / "site").write_text("", "utf-8")
    done = repository.job("13:17", report="site/deeper")
    assert (done.code, done["pushed"], done["report"]) == (3, "true", "")
