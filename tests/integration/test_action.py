"""Jobs of the Action: what lands on the branch, what stands in the comment, what the next step gets."""

import html
import json
import re
from decimal import Decimal

import pytest
from support.bench import called, log_text
from support.git import git
from support.github import TOKEN
from support.job import CONFIGURATION, path, run_file

from reconcile.simulator import faults


def text(body):
    """A comment as it is shown, as far as these tests look."""
    return re.sub(r"<[^>]*>", "", html.unescape(re.sub("&lt;", "", body)))


def at_address(simulator):
    return f"{CONFIGURATION}providers: {{openai: {{url: '{simulator.base_url}'}}}}\n".encode()


class TestCommit:
    def test_two_hours_bring_a_run_to_verified_in_two_commits(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        first, second = repository.job("13:17"), repository.job("14:17")
        assert (first.code, first["status"], first["pushed"], first["changed"]) == (0, "waiting", "true", "1")
        assert (second.code, second["status"], second["verified"]) == (0, "clean", "1")
        assert repository.verdict("chatdev/a") == "verified: stable"
        assert repository.forge.tip() == second["commit-sha"]

    def test_a_call_log_on_the_branch_is_read_with_its_run(self, repository):
        call = called("12:01", 500, key="key_chatdev")
        repository.add("chatdev/a", "12:00:10", "12:05", [call])
        repository.forge.write({"runs/chatdev/a/calls.ndjson": log_text([call]).encode()}, "main", message="its log")
        done = repository.job("13:17")
        assert (done["status"], repository.verdict("chatdev/a")) == ("clean", "verified: log_matched")

    def test_nothing_new_makes_no_commit_and_edits_no_comment(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        for clock in ("13:17", "14:17"):
            repository.job(clock)
        tip, writes = repository.forge.tip(), len(double.writes)
        third = repository.job("15:17")
        assert (third["pushed"], third["commit-sha"], repository.forge.tip()) == ("false", "", tip)
        assert len(double.writes) == writes

    def test_the_commit_is_the_bots_and_touches_nothing_else(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        done = repository.job("13:17")
        shown = repository.show(done["commit-sha"], "--format=%an <%ae>|%s", "--name-only")
        assert shown.split("\n\n") == [
            "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>|Reconcile LLM usage",
            f"{path('chatdev/a')}\nruns/chatdev/a/usage_evidence.json",
        ]

    def test_the_pass_reads_the_tip_and_not_an_old_checkout(self, repository):
        repository.add("chatdev/late", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17")
        assert not (repository.workspace / path("chatdev/late")).exists()
        assert repository.verdict("chatdev/late") == "pending: first_read"

    def test_a_run_is_priced_where_the_configuration_of_the_branch_says_so(self, repository):
        repository.forge.write({"reconcile.yml": CONFIGURATION.encode() + b"pricing: on\n"}, "main", message="price")
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17")
        value = json.loads(repository.forge.read(path("chatdev/a")), parse_float=Decimal)
        assert value["aggregate_metrics"]["COST_USD"] == Decimal("0.000081")

    def test_the_configuration_of_the_branch_says_where_usage_is_asked_for(self, repository, simulator):
        repository.forge.write({"reconcile.yml": at_address(simulator)}, "main", message="address")
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17", api_url="")
        assert repository.verdict("chatdev/a") == "pending: first_read"

    def test_a_branch_that_brings_changes_says_nothing_of_where_the_admin_key_goes(self, repository, simulator):
        repository.forge.write({"reconcile.yml": at_address(simulator)}, "topic", message="planted")
        done = repository.job("13:17", branch="topic", api_url="")
        assert "reconcile.yml: providers.openai.url of topic is ignored" in done.log
        assert not simulator.requests

    def test_a_gateway_in_the_environment_of_the_job_is_noticed_once(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        done = repository.job("13:17", environ={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
        assert (done.code, done.log.count("OPENAI_BASE_URL is ignored")) == (0, 1)

    def test_the_checkout_gets_the_landed_bytes_where_it_held_the_old_ones(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.pull()
        repository.job("13:17")
        assert repository.verdict("chatdev/a") == "pending: first_read"
        assert repository.differs() == []

    def test_a_failing_provider_commits_nothing_and_exits_3(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        tip = repository.forge.tip()
        repository.simulator.script(faults.not_found)
        done = repository.job("13:17")
        assert (done.code, done["status"], repository.forge.tip()) == (3, "errors", tip)
        assert "::error::not_found" in done.log

    def test_a_human_who_pushes_in_between_loses_nothing(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.intervene(lambda: repository.forge.write({"NOTES.md": b"by hand\n"}), monkeypatch)
        repository.job("13:17")
        assert repository.forge.read("NOTES.md") == b"by hand"
        assert repository.verdict("chatdev/a") == "pending: first_read"

    def test_a_run_that_lands_in_between_over_the_same_minutes_is_judged_with(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500), ("12:04:30", 300)])
        repository.job("13:17")
        neighbour = run_file("b", "12:04:10", "12:09")
        repository.intervene(lambda: repository.forge.write({path("chatdev/b"): neighbour}), monkeypatch)
        repository.job("14:17")
        assert repository.verdict("chatdev/a") == "warning: shared_minutes"

    def test_a_race_that_cannot_be_won_is_given_up_loudly(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        notes = (f"note {number}".encode() for number in range(9))
        repository.intervene(lambda: repository.forge.write({"NOTES.md": next(notes)}), monkeypatch, always=True)
        done = repository.job("13:17", push_attempts=3)
        assert (done.code, done["status"], done["pushed"]) == (3, "errors", "false")
        assert "race_lost" in done.log
        assert "race" in done.summary

    def test_signed_commits_are_made_by_github(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        done = repository.job("13:17", sign="api")
        assert (done["pushed"], repository.verdict("chatdev/a")) == ("true", "pending: first_read")
        assert ("POST", "/graphql") in double.writes

    def test_a_dry_run_shows_the_change_and_writes_nothing(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        tip = repository.forge.tip()
        done = repository.job("13:17", dry_run="true")
        assert (repository.forge.tip(), double.writes) == (tip, [])
        assert '+    "TOK_IN": 500,' in done.log

    def test_a_dry_run_comments_nowhere(self, repository, double):
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        done = repository.job("13:17", dry_run="true", pr_number=number)
        assert (done.code, done["comment-id"], double.writes) == (0, "", [])

    def test_a_later_cutoff_takes_up_what_an_outage_left_and_the_next_pass_closes_it(self, repository):
        repository.add("chatdev/a", "-3 12:00:10", "-3 12:05", [("-3 12:01", 500)])
        missed = repository.job("13:17")
        assert (missed["due"], "past the cutoff" in missed.summary) == ("0", True)
        repository.job("13:20", event="workflow_dispatch", max_age="7d")
        repository.job("14:17")
        assert repository.verdict("chatdev/a") == "verified: stable"

    def test_an_event_without_a_branch_wants_one_named(self, repository):
        done = repository.job("13:17", mode="commit", environ={"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_NAME": "v1"})
        assert (done.code, "no_branch" in done.log) == (1, True)

    @pytest.mark.parametrize(("fail_on", "code"), [("errors", 1), ("warnings", 1), ("never", 0)])
    def test_a_job_that_can_do_nothing_ends_as_fail_on_says(self, repository, fail_on, code):
        done = repository.job("13:17", branch="-nothing", fail_on=fail_on)
        assert (done.code, done["status"], done["commit-sha"]) == (code, "errors", "")

    def test_a_value_that_an_input_cannot_have_fails_whatever_fail_on_says(self, repository):
        done = repository.job("13:17", mode="commmit", fail_on="never")
        assert (done.code, done.outputs) == (2, {})
        assert "auto, check, commit, pull-request" in done.log


class TestComment:
    def test_the_pull_request_that_brought_a_run_in_gets_one_comment_with_its_runs(self, repository, double):
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.add("chatdev/other", "12:20:10", "12:25", [("12:21", 70)])
        repository.job("13:17")
        (body,) = repository.comments(number)
        assert body.splitlines()[0].startswith("<!-- llm-usage-reconcile key=default digest=")
        assert ("500" in body, "other" in body) == (True, False)

    def test_the_comment_is_updated_in_place(self, repository):
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        for clock in ("13:17", "14:17", "15:17"):
            repository.job(clock)
        (body,) = repository.comments(number)
        assert "1 verified" in body

    def test_the_comment_of_a_persons_token_is_found_again(self, repository, double):
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        double.tokens.add("github_pat_of_a_person")
        for clock in ("13:17", "14:17"):
            repository.job(clock, token="github_pat_of_a_person")
        (body,) = repository.comments(number)
        assert "1 verified" in body

    @pytest.mark.parametrize("mode", ["check", "commit"])
    def test_on_a_named_pull_request_every_run_and_every_defect_is_listed(self, repository, double, mode):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.forge.write({path("baes/bad"): b"{"}, "main", message="broken")
        repository.forge.write({"notes.md": b"x"}, "topic", message="work")
        repository.pull()
        number = double.add_pull_request("topic")
        repository.job("13:17", mode=mode, pr_number=number)
        (body,) = repository.comments(number)
        assert ("chatdev/a" in text(body), "baes/bad/metrics.json:1:2" in text(body)) == (True, True)

    def test_a_merged_pull_request_that_brought_only_a_broken_file_is_told(self, repository, double):
        repository.forge.write({path("chatdev/bad"): b"{"}, "brings", message="broken")
        number = double.add_pull_request("brings")
        double.state.merge(number)
        repository.job("13:17")
        (body,) = repository.comments(number)
        assert "chatdev/bad/metrics.json:1:2" in text(body)
        repository.job("14:17")
        assert repository.comments(number) == [body]

    def test_an_open_pull_request_that_brings_only_a_broken_file_is_told(self, repository, double):
        repository.forge.write({path("chatdev/old"): b"["}, "main", message="broken for long")
        numbers = {}
        for branch, files in {"brings": {path("chatdev/bad"): b"{"}, "harmless": {"notes.md": b"x"}}.items():
            repository.forge.write(files, branch, message="work")
            numbers[branch] = double.add_pull_request(branch)
        repository.job("13:17", open_pull_requests="true")
        (body,) = repository.comments(numbers["brings"])
        assert ("chatdev/bad" in text(body), "chatdev/old" in text(body)) == (True, False)
        assert repository.comments(numbers["harmless"]) == []

    def test_a_checked_pull_request_that_brings_a_link_in_the_place_of_a_framework_is_told(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", branch="topic")
        git(repository.workspace, "fetch", "-q", "origin", "topic")
        repository.check_out("topic")
        (repository.workspace / "runs" / "linked").symlink_to("chatdev")
        git(repository.workspace, "add", "runs/linked")
        git(repository.workspace, "commit", "-q", "-m", "a link")
        git(repository.workspace, "push", "-q", "origin", "HEAD:topic")
        number = double.add_pull_request("topic")
        repository.job("12:20", event="pull_request", payload=repository.event(number), openai_admin_key="")
        (body,) = repository.comments(number)
        assert "is a symbolic link" in text(body)

    def test_the_actions_own_pull_request_lists_every_defect(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.forge.write({path("baes/bad"): b"{"}, "main", message="broken")
        done = repository.job("13:17", mode="pull-request")
        (body,) = repository.comments(int(done["pr-number"]))
        assert "baes/bad/metrics.json:1:2" in text(body)

    @pytest.mark.parametrize(
        "rights", [{"contents: write"}, {"contents: write", "pull-requests: read", "issues: read"}]
    )
    def test_a_comment_that_is_denied_names_the_right_to_write_it(self, repository, double, rights):
        repository.add("chatdev/a", "12:00:10", "12:05", branch="topic")
        number = double.add_pull_request("topic")
        double.permissions = rights
        repository.check_out("topic")
        done = repository.job("12:20", event="pull_request", payload=repository.event(number), openai_admin_key="")
        (notice,) = [line for line in done.log.splitlines() if line.startswith("::notice::no comment")]
        assert "pull-requests: write" in notice
        assert "pull-requests: read" not in notice

    def test_a_job_without_the_right_to_comment_says_which_line_is_missing_and_goes_on(self, repository, double):
        repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        double.permissions = {"contents: write", "pull-requests: read", "issues: read"}
        done = repository.job("13:17")
        assert (done.code, done["pushed"]) == (0, "true")
        assert "pull-requests: write" in done.log

    def test_a_comment_that_is_left_alone_is_still_named_in_the_outputs(self, repository):
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        first = repository.job("13:17", pr_number=number)
        second = repository.job("13:20", pr_number=number)
        assert first["comment-url"]
        assert (second["comment-id"], second["comment-url"]) == (first["comment-id"], first["comment-url"])

    def test_jobs_for_one_framework_each_share_one_comment(self, repository):
        number = repository.merged("one", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.add("baes/b", "12:10:10", "12:15", [("12:11", 70)])
        for framework in ("chatdev", "baes"):
            repository.job("13:17", framework=framework, pr_number=number)
        (body,) = repository.comments(number)
        assert ("500" in body, "70" in body) == (True, True)

    def test_a_job_that_is_to_write_no_comment_needs_no_right_to(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", branch="topic")
        number = double.add_pull_request("topic")
        double.permissions = {"contents: read"}
        repository.check_out("topic")
        done = repository.job("12:20", event="pull_request", payload=repository.event(number), comment="off")
        assert (done.code, "::notice::" in done.log) == (0, False)

    def test_another_address_of_the_api_is_that_of_graphql_too(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        elsewhere = {"GITHUB_API_URL": "https://api.invalid", "GITHUB_GRAPHQL_URL": "https://api.invalid/graphql"}
        done = repository.job("13:17", sign="api", github_api_url=double.url, environ=elsewhere)
        assert (done.code, done["pushed"]) == (0, "true")

    def test_a_comment_only_for_changes_leaves_out_a_pass_that_changes_nothing(self, repository, double):
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("12:20", comment="changes", pr_number=number)
        assert repository.comments(number) == []
        repository.job("13:17", comment="changes", pr_number=number)
        assert len(repository.comments(number)) == 1

    def test_comments_can_be_switched_off(self, repository, double):
        repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17", comment="off")
        assert [request for request in double.writes if "comments" in request[1]] == []


class TestIssue:
    def test_one_issue_stays_open_for_as_long_as_a_run_is_broken(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:04:30", 500)])
        repository.add("chatdev/b", "12:04:10", "12:09", [("12:08", 70)])
        for clock in ("13:17", "14:17", "15:17"):
            repository.job(clock, open_issue="true")
        (issue,) = double.state.threads.values()
        assert (issue.state, "shared&#95;minutes" in issue.body) == ("open", True)
        repository.forge.write({path("chatdev/a"): None, path("chatdev/b"): None})
        repository.job("16:17", open_issue="true")
        assert [each.state for each in double.state.threads.values()] == ["closed"]

    def test_nothing_broken_opens_none(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17", open_issue="true")
        assert list(double.state.threads) == []


class TestCheck:
    def test_a_pull_request_with_a_bad_file_fails_on_the_exact_line_without_a_key(self, repository, double):
        repository.forge.write({path("chatdev/bad"): b'{\n  "run_id": "bad",\n  "steps": 5\n}\n'}, "topic")
        number = double.add_pull_request("topic")
        repository.check_out("topic")
        done = repository.job("13:17", event="pull_request", payload=repository.event(number), openai_admin_key="")
        assert (done.code, done["status"], done["invalid"]) == (1, "errors", "1")
        assert "::error file=runs/chatdev/bad/metrics.json,line=3,col=12::/steps" in done.log
        assert repository.simulator.requests == []

    def test_a_figure_that_was_edited_by_hand_fails_on_its_line(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        for clock in ("13:17", "14:17"):
            repository.job(clock)
        asked = len(repository.simulator.requests)
        edited = repository.forge.read(path("chatdev/a")).replace(b'"TOK_IN": 500', b'"TOK_IN": 400')
        evidence = path("chatdev/a").replace("metrics.json", "usage_evidence.json")
        kept = repository.forge.read(evidence) + b"\n"
        repository.forge.write({path("chatdev/a"): edited + b"\n", evidence: kept}, "topic")
        number = double.add_pull_request("topic")
        repository.check_out("topic")
        done = repository.job("15:17", event="pull_request", payload=repository.event(number), openai_admin_key="")
        line = 1 + edited.decode()[: edited.decode().index('"TOK_IN"')].count("\n")
        assert (done.code, done["status"]) == (1, "errors")
        assert f"::error file={path('chatdev/a')},line={line}," in done.log
        assert "is 400, and the evidence comes to 500" in done.log
        assert len(repository.simulator.requests) == asked

    @pytest.mark.parametrize("checkout", ["the branch and its history", "the merge and nothing before"])
    def test_a_verdict_that_a_pull_request_takes_out_is_missed(self, repository, double, checkout):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        unread, evidence = repository.forge.read(path("chatdev/a")), "runs/chatdev/a/usage_evidence.json"
        for clock in ("13:17", "14:17"):
            repository.job(clock)
        repository.forge.write({path("chatdev/a"): unread + b"\n", evidence: None}, "topic")
        number = double.add_pull_request("topic")
        if checkout == "the branch and its history":
            repository.check_out("topic")
        else:
            repository.merge_alone("topic")
        done = repository.job("15:17", event="pull_request", payload=repository.event(number), openai_admin_key="")
        assert (done.code, done["status"]) == (1, "errors")
        assert re.search(r"lacks the read of \S+Z, which it had in commit [0-9a-f]{10}", done.log)

    def test_a_pull_request_that_lies_behind_its_base_lacks_nothing(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.forge.write({"README.md": b"other words\n"}, "topic")
        for clock in ("13:17", "14:17"):
            repository.job(clock)
        number = double.add_pull_request("topic")
        repository.check_out("topic")
        done = repository.job("15:17", event="pull_request", payload=repository.event(number), openai_admin_key="")
        assert (done.code, "which it had in commit" in done.log) == (0, False)

    def test_a_good_pull_request_passes_and_gets_the_rows_that_a_commit_gives_it(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", branch="topic")
        number = double.add_pull_request("topic")
        repository.check_out("topic")
        done = repository.job("12:20", event="pull_request", payload=repository.event(number), openai_admin_key="")
        assert (done.code, done["status"], len(repository.comments(number))) == (0, "waiting", 1)
        assert "written" not in done.log

    def test_a_fork_is_checked_and_gets_the_summary_of_the_job(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", branch="topic")
        number = double.add_pull_request("topic", repository="stranger/science")
        double.permissions = {"contents: read", "pull-requests: read", "issues: read"}
        repository.check_out("topic")
        done = repository.job(
            "12:20", event="pull_request", payload=repository.event(number, "stranger/science"), openai_admin_key=""
        )
        assert (done.code, repository.comments(number)) == (0, [])
        assert "chatdev" in done.summary

    @pytest.mark.parametrize("event", ["merge_group", "push"])
    def test_a_merge_queue_is_checked_by_the_base_branch_and_nothing_is_pushed(self, repository, event):
        queue = f"gh-readonly-queue/main/pr-7-{'ab' * 20}"
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)], branch=queue)
        repository.forge.write({"reconcile.yml": b"runs: nowhere\n"}, queue, message="planted")
        repository.check_out(queue)
        tip = repository.forge.tip(queue)
        environ = {"GITHUB_REF": f"refs/heads/{queue}", "GITHUB_REF_NAME": queue}
        done = repository.job("13:17", event=event, environ=environ)
        assert (done.code, done["discovered"], done["pushed"]) == (0, "1", "false")
        assert (repository.forge.tip(queue), repository.simulator.requests) == (tip, [])
        repository.forge.write({"runs/chatdev/b/metrics.json": b"{"}, queue, message="broken")
        repository.check_out(queue)
        broken = repository.job("13:17", event=event, environ=environ)
        assert (broken.code, broken["invalid"], broken["pushed"], repository.simulator.requests) == (
            1,
            "1",
            "false",
            [],
        )
        committing = repository.job("13:17", event=event, environ=environ, mode="commit")
        assert (committing.code, "has no branch to commit to" in committing.log) == (1, True)

    def test_a_gate_stays_shut_until_every_run_is_verified(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.pull()
        shut = repository.job("13:00", mode="check", require_verified="true")
        for clock in ("13:17", "14:17"):
            repository.job(clock)
        opened = repository.job("15:00", mode="check", require_verified="true")
        assert (shut.code, opened.code) == (1, 0)

    def test_a_gate_can_want_a_grade_and_says_what_is_missing(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.pull()
        for clock in ("13:17", "14:17"):
            repository.job(clock)
        shut, wrong = (repository.job("15:00", mode="check", require_verified=least) for least in ("Proven", "yes"))
        assert (shut.code, wrong.code) == (1, 2)
        said = "0 of 1 run proven: analysis must wait."
        assert f"{said}\n1 run verified, but only assumed: record calls and tokens (chatdev/a)" in shut.log
        assert f"::error::{said} 1 run verified" in shut.log
        assert "write true, false, proven or supported" in wrong.log


class TestPullRequest:
    def test_figures_are_gathered_in_one_pull_request(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        tip = repository.forge.tip()
        first = repository.job("13:17", mode="pull-request")
        second = repository.job("14:17", mode="pull-request")
        assert repository.forge.tip() == tip
        assert (first["pr-operation"], second["pr-operation"]) == ("created", "updated")
        assert repository.verdict("chatdev/a", "reconcile/usage") == "verified: stable"

    @pytest.mark.parametrize(("sign", "said"), [("api", True), ("git", False)])
    def test_that_its_commit_is_not_signed_is_said_to_who_wants_it_signed(self, repository, sign, said):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        done = repository.job("13:17", mode="pull-request", sign=sign)
        assert (done.code, "nobody signs" in done.log) == (0, said)

    def test_observations_that_live_only_on_the_bots_branch_are_carried_to_the_fresh_tip(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17", mode="pull-request")
        repository.add("chatdev/b", "12:30:10", "12:35", [("12:31", 70)])
        repository.job("14:17", mode="pull-request")
        assert len(repository.attempts("chatdev/a", "reconcile/usage")) == 2
        assert repository.parent("reconcile/usage") == repository.forge.tip()

    def test_nothing_new_pushes_and_edits_nothing(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        for clock in ("13:17", "14:17"):
            repository.job(clock, mode="pull-request")
        tip, writes = repository.forge.tip("reconcile/usage"), len(double.writes)
        third = repository.job("15:17", mode="pull-request")
        assert (repository.forge.tip("reconcile/usage"), len(double.writes)) == (tip, writes)
        assert (third["pushed"], third["pr-operation"], third["pr-number"]) == ("false", "none", "1")

    def test_the_pull_request_is_closed_when_nothing_is_left_to_change(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        first = repository.job("13:17", mode="pull-request")
        repository.forge.write({path("chatdev/a"): None})
        done = repository.job("13:20", mode="pull-request")
        assert (done["pr-operation"], done["pr-number"]) == ("closed", first["pr-number"])
        assert repository.forge.branches() == ["main"]
        assert double.state.thread(first["pr-number"]).state == "closed"


class TestOpenPullRequests:
    def test_runs_of_an_open_pull_request_are_reconciled_on_its_own_branch(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:04:30", 500)])
        repository.add("baes/b", "12:10:10", "12:15", [("12:11", 70)], branch="topic")
        number = double.add_pull_request("topic")
        for clock in ("13:17", "14:17"):
            repository.job(clock, open_pull_requests="true")
        assert repository.verdict("baes/b", "topic") == "verified: stable"
        assert repository.verdict("chatdev/a") == "verified: stable"
        (body,) = repository.comments(number)
        assert ("70" in body, len(repository.simulator.requests)) == (
            True,
            4,
        )  # a page and its control total, two hours

    def test_minutes_that_two_branches_claim_are_shared(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500), ("12:04:30", 300)])
        repository.add("chatdev/b", "12:04:10", "12:09", [("12:08", 70)], branch="topic")
        double.add_pull_request("topic")
        for clock in ("13:17", "14:17"):
            repository.job(clock, open_pull_requests="true")
        assert repository.verdict("chatdev/a") == "warning: shared_minutes"
        assert repository.verdict("chatdev/b", "topic") == "warning: shared_minutes"

    def test_a_fork_is_never_written(self, repository, double):
        repository.add("baes/b", "12:10:10", "12:15", [("12:11", 70)], branch="topic")
        double.add_pull_request("topic", repository="stranger/science")
        repository.job("13:17", open_pull_requests="true")
        assert repository.verdict("baes/b", "topic") is None


def test_no_secret_appears_anywhere(repository, double):
    repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    done = repository.job("13:17")
    written = [file.read_bytes() for file in repository.folder.rglob("*") if file.is_file()]
    shown = done.log.replace(f"::add-mask::{TOKEN}", "").replace(f"::add-mask::{repository.simulator.admin_key}", "")
    for secret in (TOKEN, repository.simulator.admin_key):
        assert secret not in shown + done.summary
        assert [data for data in written if secret.encode() in data] == []
