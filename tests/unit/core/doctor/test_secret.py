"""What a secret looks like, what is left of it in a list, and that it is found in a text."""

import pytest
from support.examined import LISTED

from reconcile.doctor.checks import KeyKind, fitting, hidden, kind_of
from reconcile.providers.base import ListedKey

SECRET = "sk-proj-abcdefghij1111"


def listed(identifier, redacted):
    return ListedKey(id=identifier, name="", redacted=redacted, project_id="proj_lab", project="Lab")


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("sk-admin-abc", KeyKind.ADMIN),
        ("sk-proj-abc", KeyKind.PROJECT),
        ("sk-svcacct-abc", KeyKind.PROJECT),
        ("sk-abc", KeyKind.OTHER),
        ("sk-admin-abc\n", KeyKind.MALFORMED),
        ("", KeyKind.MALFORMED),
    ],
)
def test_kinds_are_told_by_their_beginning(secret, kind):
    assert kind_of(secret) is kind


@pytest.mark.parametrize(
    ("redacted", "fits"),
    [
        ("sk-proj-...1111", True),
        ("sk-...1111", True),
        ("sk-proj-abc********1111", True),
        ("sk-proj-\u20261111", True),
        ("sk-proj-...1112", False),
        ("sk-admin...1111", False),
        ("sk-proj-...11", False),
        ("sk-proj-abcdef...ghij1111", False),
        ("sk-...abc...1111", False),
        (SECRET, False),
        ("...", False),
    ],
)
def test_a_redacted_value_fits_by_both_its_ends_and_shows_enough(redacted, fits):
    assert fitting(SECRET, [listed("key_a", redacted)]) == (("key_a",) if fits else ())


def test_a_key_that_is_listed_twice_is_one():
    assert fitting(SECRET, [LISTED, LISTED, listed("key_b", "sk-...1111")]) == ("key_a", "key_b")


def test_secrets_and_what_looks_like_one_are_hidden():
    text = f"{SECRET} and ghs_secretsecret and sk-admin-somebodyelses and short"
    assert hidden(text, [SECRET, "ghs_secretsecret", "short", ""]) == "[key] and [key] and [key] and short"
    assert hidden("sk-proj-...1111", [SECRET]) == "sk-proj-...1111"
