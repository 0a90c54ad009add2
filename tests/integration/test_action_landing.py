"""What must never happen between a read and a comment: a change by hand lost, a comment that tells of another tip."""

import pytest
from support.github import BOT, PERSON
from support.job import path, run_file

from reconcile.action.comment import marker
from reconcile.git.remote import GitRemote

OWN = "reconcile/usage"


def overtaken(act, monkeypatch):
    """Do something every time before a job points its own branch to a commit."""
    replace = GitRemote.replace

    def interrupted(remote, commit, branch, *, expected):
        act()
        return replace(remote, commit, branch, expected=expected)

    monkeypatch.setattr(GitRemote, "replace", interrupted)


class TestRaces:
    def test_a_change_by_hand_of_the_same_file_stays_beside_the_figure(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        edited = run_file("a", "12:00:10", "12:05", note="by hand")
        repository.intervene(lambda: repository.forge.write({path("chatdev/a"): edited}), monkeypatch)
        done = repository.job("13:17")
        value = repository.value("chatdev/a")
        assert (value["note"], value["aggregate_metrics"]["TOK_IN"], done["pushed"]) == ("by hand", 500, "true")

    def test_a_read_over_times_that_were_changed_meanwhile_is_dropped(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        edited = run_file("a", "10:00:10", "12:05")
        repository.intervene(lambda: repository.forge.write({path("chatdev/a"): edited}), monkeypatch)
        done = repository.job("13:17")
        assert (repository.verdict("chatdev/a"), done["pushed"]) == (None, "false")
        assert repository.forge.read(path("chatdev/a")) + b"\n" == edited

    def test_another_jobs_read_of_the_same_run_stays(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        other = []

        def another_job():
            if not other:
                other.append(True)
                repository.job("13:17")

        repository.intervene(another_job, monkeypatch)
        repository.job("14:17")
        assert repository.attempts("chatdev/a") == ["2026-01-05T13:17:00Z", "2026-01-05T14:17:00Z"]

    def test_what_another_wrote_on_the_actions_own_branch_meanwhile_is_carried(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        other = []

        def another_job():
            if not other:
                other.append(True)
                repository.job("13:17", mode="pull-request")

        overtaken(another_job, monkeypatch)
        done = repository.job("14:17", mode="pull-request")
        assert (done["pushed"], done["pr-operation"], repository.parent(OWN)) == (
            "true",
            "updated",
            repository.forge.tip(),
        )
        assert repository.attempts("chatdev/a", OWN) == ["2026-01-05T13:17:00Z", "2026-01-05T14:17:00Z"]

    def test_the_actions_own_branch_is_given_up_loudly_where_others_keep_writing_it(self, repository, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        notes = (f"note {number}".encode() for number in range(9))
        overtaken(lambda: repository.forge.write({"NOTES.md": next(notes)}, OWN), monkeypatch)
        done = repository.job("13:17", mode="pull-request", push_attempts=2)
        assert (done.code, done["pushed"], done["pr-operation"]) == (3, "false", "")
        said = f"{OWN} was written by others during each of 2 tries; nothing was pushed"
        assert f"race_lost: {said}" in done.log


class TestComment:
    def test_the_comment_tells_of_what_landed_and_not_of_what_was_tried(self, repository, double, monkeypatch):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500), ("12:04:30", 300)])
        number = double.add_pull_request("main", sha=repository.forge.tip())
        repository.job("13:17")
        neighbour = run_file("b", "12:04:10", "12:09")
        repository.intervene(lambda: repository.forge.write({path("chatdev/b"): neighbour}), monkeypatch)
        done = repository.job("14:17", pr_number=number)
        (body,) = repository.comments(number)
        assert ("shared&#95;minutes" in body, "1 verified" in body) == (True, False)
        assert f"/blob/{repository.forge.tip()}/" in body
        assert done["commit-sha"] == repository.forge.tip()

    def test_nothing_is_told_of_a_push_that_was_refused(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        number = double.add_pull_request("main", sha=repository.forge.tip())
        repository.forge.hook("update", "exit 1")
        done = repository.job("13:17", pr_number=number)
        assert (done.code, repository.comments(number)) == (3, [])

    def test_a_comment_on_a_later_page_is_found_again(self, repository, double):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        number = double.add_pull_request("main", sha=repository.forge.tip())
        for each in range(130):
            double.state.comment(number, f"comment {each}", PERSON)
        for clock in ("13:17", "14:17"):
            repository.job(clock, pr_number=number)
        ours = [body for body in repository.comments(number) if body.startswith("<!-- llm-usage")]
        assert (len(ours), "1 verified" in ours[0]) == (1, True)

    @pytest.mark.parametrize(
        ("author", "body"),
        [
            pytest.param(BOT, f"see below\n{marker('default', '0' * 16)}", id="a bot that quotes the marker"),
            pytest.param(BOT, f"{marker('default', '0' * 16).rstrip()} and more", id="a bot with more in the line"),
            pytest.param(BOT, marker("default-2", "0" * 16), id="a job with another key"),
            pytest.param(PERSON, marker("default", "0" * 16), id="a person with the marker"),
        ],
    )
    def test_a_comment_that_is_not_ours_is_left_alone(self, repository, double, author, body):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        number = double.add_pull_request("main", sha=repository.forge.tip())
        double.state.comment(number, body, author)
        repository.job("13:17", pr_number=number)
        first, second = repository.comments(number)
        assert (first, second.startswith(marker("default", "")[:40])) == (body, True)

    def test_hundreds_of_runs_fit_into_a_comment_and_into_a_summary(self, repository, double):
        """Short of what GitHub takes, which would refuse the whole."""
        files = {
            path(f"chatdev/{name}"): run_file(name, "12:00:10", "12:05") for name in (f"run-{n}" for n in range(600))
        }
        repository.forge.write(files)
        number = double.add_pull_request("main", sha=repository.forge.tip())
        done = repository.job("12:20", pr_number=number)
        (body,) = repository.comments(number)
        assert (done.code, len(body) < 64_000, len(done.summary.encode()) < 2**20) == (0, True, True)
        assert "rows left out: the summary of the job has more" in body
