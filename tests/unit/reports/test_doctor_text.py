"""A diagnosis and a list of keys as they are printed."""

from dataclasses import replace
from datetime import UTC, datetime

from support.examined import LISTED, SECRET, facts

from reconcile.doctor.examination import diagnose
from reconcile.doctor.key_rows import proposals, rows
from reconcile.providers.base import Scope
from reconcile.report.diagnosis import doctor_text, keys_text
from reconcile.report.phrases import painter

PLAIN = painter(colour=False)


def test_what_is_wrong_comes_first_with_its_remedy_below():
    lines = doctor_text(diagnose(facts(lacking=("pricing",))), PLAIN, 72).splitlines()
    assert lines[:4] == [
        "error    extras              reconcile.yml needs what is not installed:",
        "                             pricing",
        "                             in the clone of this program, and in its",
        "                             virtual environment, run: pip install",
    ]
    assert lines[4] == "                             '.[pricing]'"
    assert lines[5] == "ok       python              Python 3.12.1, reconcile 0.1.0"
    assert lines[-1] == "20 checks: 1 error."


def test_a_good_set_up_says_so():
    assert doctor_text(diagnose(facts()), PLAIN, 120).endswith("\n\n20 checks: nothing is wrong.")


def test_a_diagnosis_is_coloured_for_a_terminal_and_harmless():
    text = doctor_text(diagnose(facts(configuration="\x1b[31m", lacking=("pricing",))), painter(colour=True), 120)
    assert "\x1b[31merror  \x1b[0m" in text
    assert "\\x1b[31m needs" in text


def test_keys_are_a_table_and_a_sentence_for_each_secret():
    used = replace(LISTED, id="key_b", name="\x1b[2J", archived=True, last_used_at=datetime(2026, 1, 5, tzinfo=UTC))
    found = rows([LISTED, used], {"chatdev": Scope("openai", ("key_a",))})
    text = keys_text(found, proposals({"chatdev": SECRET}, {}, {}), ["chatdev"], PLAIN, 120)
    assert text.splitlines() == [
        "project         name     key              id     last used   framework",
        "Lab (archived)  \\x1b[2J  sk-proj-...1111  key_b  2026-01-05  -",
        "Lab             worker   sk-proj-...1111  key_a  never       chatdev",
        "",
        "chatdev: written: the key in OPENAI_API_KEY_CHATDEV is key_a",
    ]


def test_no_keys_at_all():
    assert keys_text((), (), (), PLAIN, 120) == "No API keys are listed."
    assert "\n\nchatdev: the key in" in keys_text((), proposals({"chatdev": SECRET}, {}, {}), (), PLAIN, 120)
