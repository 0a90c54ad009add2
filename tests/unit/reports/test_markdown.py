"""A pass as GitHub Markdown: compared whole, and with names and messages that want to be more than text."""

from dataclasses import replace
from datetime import timedelta
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile import HOSTILE, references, rendered
from support.runs import END, EXAMPLES, Tale, after, neighbour, theirs

from reconcile.errors import ProviderError
from reconcile.passes.selection import Selection
from reconcile.passes.summary import ApiUse, RunReport, Summary, Unattributed
from reconcile.report.markdown import Links, code, prose, summary_markdown
from reconcile.runs.run import Finding, RunKey
from reconcile.runs.state import Policy, Status
from reconcile.usage import Usage

LINKS = Links(blob="https://github.com/o/r/blob/abc", commit="https://github.com/o/r/commit/abc", job="https://job")
WHOLE = 64_000


def report(tale, selection=Selection.DUE, key=None, **members):
    run = tale.run
    if key:
        run = replace(run, key=key, path=f"runs/{key.framework}/{key.run_id}/metrics.json")
    return RunReport(run=run, selection=selection, **members)


def summary(*reports, **members):
    given = {"now": after("02:00"), "policy": Policy(), "discovered": len(reports), "runs": reports, **members}
    return Summary(**given)


def read(*shown, neighbours=()):
    """A run that was read as often, an hour apart."""
    tale = Tale(neighbours=neighbours)
    for number, each in enumerate(shown):
        tale.read(f"{number:02}:45", each)
    return tale


def everything(name="a", said="broken", path="runs/chatdev/bad/metrics.json"):
    """A pass with a row of every kind, in which these stand wherever text of others may stand."""
    shared = read("100 2x200", "100 2x200", neighbours=[neighbour("b", 1, 12)])
    other = Tale(**theirs(("00:05", 50)))
    key = RunKey(name, name)
    foreign = report(other, Selection.DUE, key).run
    foreign = replace(foreign, state=replace(foreign.state, message=said, reasons=(said,)))
    settled = report(read("100", "100"), Selection.OBSERVED, key).run
    settled = replace(settled, state=replace(settled.state, completeness=said, assumes=(said,)))
    return summary(
        report(shared, Selection.OBSERVED, key),
        replace(report(other), run=foreign),
        replace(report(Tale(), Selection.OBSERVED), run=settled),
        report(Tale(), Selection.TOO_YOUNG, key, due_at=END + timedelta(minutes=30), note=said),
        findings=(Finding(path, 3, 5, said, said),),
        errors=(ProviderError(said, code="provider_unavailable", remedy=said),),
        unattributed=(Unattributed(api_key_id=name, model=name, start=0, end=60, usage=Usage(7, 1, 0, 1)),),
        discovered=5,
    )


def plain(text):
    """As a reader of the source would like it: the entities of punctuation resolved."""
    for character in "-_/:.,;()'+[]?=":
        text = text.replace(f"&#{ord(character)};", character)
    return text


def test_an_empty_pass_is_a_title_and_a_footer():
    assert summary_markdown(summary(), Links(), WHOLE) == (
        "### LLM usage: no runs\n\n<sub>Pass of 2026-01-06 14:00Z · 0 requests to the provider</sub>\n"
    )


def test_a_pass_with_everything_in_it():
    verified = read("100 200", "100 200")
    shared = read("100 2x200", "100 2x200", neighbours=[neighbour("b", 1, 12)])
    inherited = Tale(**theirs(("00:05", 50), status="verified"))
    found = summary(
        report(verified, Selection.OBSERVED, RunKey("chatdev", "done")),
        report(inherited, Selection.INHERITED, RunKey("chatdev", "old")),
        report(shared, Selection.OBSERVED, RunKey("chatdev", "shared")),
        report(read("100"), key=RunKey("chatdev", "first"), note="a note"),
        report(Tale(), Selection.TOO_YOUNG, RunKey("chatdev", "young"), due_at=END + timedelta(minutes=150)),
        report(shared, Selection.SETTLED, RunKey("baes", "shared")),
        discovered=7,
        findings=(Finding("runs/chatdev/bad/metrics.json", 3, 5, "/steps", "steps is missing"),),
        errors=(ProviderError("the API answered 500", code="provider_unavailable", remedy="run again later"),),
        unattributed=(
            Unattributed(api_key_id="key_a", model=None, start=1767614400, end=1767614520, usage=Usage(1234, 5, 0, 2)),
            Unattributed(api_key_id=None, model="gpt-4o", start=1767614400, end=1767614460, usage=Usage(1, 1, 0, 1)),
        ),
        api=ApiUse(requests=1),
    )
    base = "https://github.com/o/r/blob/abc/runs"
    why = "1 minute with usage is shared with chatdev/b: between 100 and 300 tokens in"
    assumed = (
        "an assumption: not every run in its minutes recorded its calls; taken for granted: nobody else used the key "
        "in these minutes (0 requests in 120 unclaimed minutes nearby: at most 0.025 a minute at 95 &#37;), the run "
        "used no other key or model, the provider had reported all by then"
    )
    assert plain(summary_markdown(found, LINKS, WHOLE)) == dedent(f"""\
        ### LLM usage: 1 verified (1 assumed), 1 inherited, 2 warning, 1 pending, 1 unread, 1 invalid file

        **Findings**

        - [<code>runs/chatdev/bad/metrics.json:3:5</code>]({base}/chatdev/bad/metrics.json#L3) <code>/steps</code> steps is missing

        **Errors**

        - <code>provider_unavailable</code> the API answered 500: run again later

        **To look at**

        | run | status | why | tokens in | out | cached | calls |
        | --- | --- | --- | --: | --: | --: | --: |
        | [<code>chatdev/shared</code>]({base}/chatdev/shared/metrics.json) | <code>warning (shared_minutes)</code> | {why} | 100-300 | 10-30 | 25-75 | 1-3 |
        | [<code>baes/shared</code>]({base}/baes/shared/metrics.json) | <code>warning (shared_minutes)</code> | {why} | 100-300 | 10-30 | 25-75 | 1-3 |

        **Verified**

        | run | status | rests on | since the last read | tokens in | out | cached | calls |
        | --- | --- | --- | --- | --: | --: | --: | --: |
        | [<code>chatdev/done</code>]({base}/chatdev/done/metrics.json) | <code>assumed (verified)</code> | {assumed} | unchanged | 300 | 30 | 75 | 2 |
        | [<code>chatdev/old</code>]({base}/chatdev/old/metrics.json) | <code>inherited</code> | another tool | first read | 50 | 5 | 12 | 1 |

        **Waiting**

        | run | status | why | next | tokens in | out | cached | calls |
        | --- | --- | --- | --- | --: | --: | --: | --: |
        | [<code>chatdev/first</code>]({base}/chatdev/first/metrics.json) | <code>pending (first_read)</code> | Read 100 in, 10 out, 1 of 2 reads; the next counts from 2026-01-06T13:15:00Z; a note | ended 2 h ago: the next pass reads it again | 100 | 10 | 25 | 1 |
        | [<code>chatdev/young</code>]({base}/chatdev/young/metrics.json) | <code>unread</code> |  | ended 2 h ago: due at 14:30Z | - | - | - | - |

        **Usage that no run claims**

        | key | model | minutes | tokens in | out | requests |
        | --- | --- | --- | --: | --: | --: |
        | <code>key_a</code> | <code>no model</code> | 2026-01-05 12:00Z to 2026-01-05 12:02Z | 1,234 | 5 | 2 |
        | <code>no key id</code> | <code>gpt-4o</code> | 2026-01-05 12:00Z to 2026-01-05 12:01Z | 1 | 1 | 1 |

        <sub>Pass of 2026-01-06 14:00Z · [commit](https://github.com/o/r/commit/abc) · [job](https://job) · 1 request to the provider</sub>
        """)  # noqa: E501  a row is a line


def test_what_the_last_read_changed_is_told():
    tale = read("100", "150")
    good = replace(tale.run, state=replace(tale.run.state, status=Status.VERIFIED))
    found = summary(RunReport(run=good, selection=Selection.SETTLED))
    assert "| +50 in, +5 out |" in plain(summary_markdown(found, Links(), WHOLE))


def test_a_settled_run_that_waits_for_nothing_has_no_next_step():
    waiting = summary(report(read("100"), Selection.SETTLED))
    assert "| Read 100 in, 10 out, 1 of 2 reads; the next counts from 2026-01-06T13:15:00Z |  |" in plain(
        summary_markdown(waiting, Links(), WHOLE)
    )


class TestHostileText:
    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    def test_it_makes_no_element_no_link_and_no_mention(self, text):
        shown = rendered(summary_markdown(everything(text, text, f"runs/{text}/x/metrics.json"), LINKS, WHOLE))
        tame = rendered(summary_markdown(everything(), LINKS, WHOLE))
        linked = [element for element in tame.elements if element[0] not in {"a", "/a"}]
        assert [element for element in shown.elements if element[0] not in {"a", "/a"}] == linked
        assert all(address.startswith(("https://github.com/o/r/", "https://job")) for address in shown.addresses)
        assert references(shown.prose) == []

    @EXAMPLES
    @given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=80))
    def test_any_text_stands_in_its_cell_as_it_is(self, text):
        shown = rendered(f"| {code(text)} | {prose(text)} |\n| --- | --- |\n")
        tame = rendered("| <code>a</code> | a |\n| --- | --- |\n")
        assert shown.elements == tame.elements
        assert references(shown.prose) == []

    @EXAMPLES
    @given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80))
    def test_what_can_be_printed_is_read_as_it_was(self, text):
        assert rendered(code(text)).text.strip("\n") == text
        assert rendered(prose(text)).text.strip("\n").replace("\u200b", "") == text

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            pytest.param("a\nb", "a&#92;nb", id="a line break"),
            pytest.param("\u202eb", "&#92;u202eb", id="a change of direction"),
            pytest.param("\udc80", "&#92;udc80", id="a byte that is no text"),
            pytest.param("a b", "a b", id="a space"),
        ],
    )
    def test_what_cannot_be_printed_is_spelled_out(self, text, shown):
        assert (code(text), prose(text)) == (f"<code>{shown}</code>", shown)

    def test_addresses_of_mail_are_parted_in_code_without_a_trace_in_what_is_copied(self):
        assert code("a@b") == "<code>a&#64;<!-- -->b</code>"

    def test_long_texts_are_cut(self):
        assert rendered(code("a" * 201)).text.strip() == "a" * 197 + "..."
        assert rendered(prose("a" * 601)).text.strip() == "a" * 597 + "..."

    def test_a_path_too_long_for_an_address_is_not_linked(self):
        shown = summary_markdown(everything(path=f"runs/{'x' * 1000}/a/metrics.json"), LINKS, WHOLE)
        assert "xxx/a" not in shown.partition("Errors")[0]
        assert "(https" not in shown.partition("Errors")[0]

    def test_a_path_that_is_no_text_is_linked_byte_by_byte(self):
        shown = summary_markdown(everything(path="runs/\udcff/a/metrics.json"), LINKS, WHOLE)
        assert "(https://github.com/o/r/blob/abc/runs/%FF/a/metrics.json#L3)" in shown


class TestLimits:
    def many(self, count, name="run", said="broken"):
        tale = read("100")
        first = report(tale)
        runs = tuple(
            replace(
                first,
                run=replace(
                    first.run, key=RunKey("chatdev", f"{name}{n}"), path=f"runs/chatdev/{name}{n}/metrics.json"
                ),
            )
            for n in range(count)
        )
        findings = tuple(Finding(f"runs/chatdev/{name}{n}/metrics.json", 1, 1, "/steps", said) for n in range(count))
        return summary(*runs, findings=findings, discovered=2 * count)

    @pytest.mark.parametrize("name", ["run", "\U00020000" * 100, "|" * 100], ids=["short", "of many bytes", "escaped"])
    def test_thousands_of_rows_are_cut_between_rows_and_counted(self, name):
        lead = "<!-- marker -->\n"
        text = summary_markdown(self.many(5000, name), LINKS, WHOLE, lead)
        rows = [line for line in text.splitlines() if line.startswith(("- [", "- <", "| [", "| <"))]
        assert (len(text) < WHOLE, text.startswith(lead), text.endswith("to the provider</sub>\n")) == (
            True,
            True,
            True,
        )
        assert f"\n{10_000 - len(rows):,} rows left out: the summary of the job has more.\n" in text
        assert all(row.endswith((" broken", "| 1 |")) for row in rows)

    def test_the_summary_of_a_job_stays_below_a_mebibyte_in_bytes(self):
        text = summary_markdown(self.many(5000, "\U00020000" * 100), LINKS, 900 * 1024 // 4, rest="there is a file")
        assert len(text.encode()) < 900 * 1024
        assert "rows left out: there is a file." in text

    def test_what_fits_is_not_cut(self):
        assert "left out" not in summary_markdown(self.many(20), LINKS, WHOLE)

    def test_one_long_text_leaves_room_for_all_others(self):
        found = self.many(20)
        longest = replace(found.findings[0], path="runs/a", pointer="|" * 10_000, message="|" * 10_000)
        text = summary_markdown(replace(found, findings=(longest, *found.findings)), LINKS, WHOLE)
        assert ("left out" in text, text.count("broken")) == (False, 20)
