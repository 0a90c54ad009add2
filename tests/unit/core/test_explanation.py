"""Explanations: what a settings file does wrong, and what to write instead."""

from datetime import date

import pytest

from reconcile import schemas
from reconcile.runs.validation import explain

SCHEMA = schemas.load("reconcile")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"runs": "runs", "policy": None, "frameworks": None}, id="sections left empty"),
        pytest.param(
            {
                "runs": "experiments/runs",
                "policy": {
                    "min_age": "30m",
                    "max_age": "24h",
                    "verification_interval": 30,
                    "min_stable_verifications": 2,
                },
                "frameworks": {
                    "chatdev": {"provider": "openai", "api_key_ids": ["key_abc123", "key_def456"]},
                    "a b": {"project_ids": ["proj_1"], "models": ["gpt-4o-mini"]},
                    "empty": {},
                },
            },
            id="everything",
        ),
        pytest.param({"policy": {"max_age": "1.5d", "min_age": "90"}}, id="fractions and bare minutes"),
    ],
)
def test_explain__has_nothing_to_say_about_good_settings(settings):
    assert explain(SCHEMA, settings) == []


@pytest.mark.parametrize(
    ("settings", "pointer", "sentence"),
    [
        pytest.param(
            {"policy": {"max_age": 48}},
            ("policy", "max_age"),
            "max_age is 48, not text; say which unit is meant, as in 48h or 48m",
            id="a bare number where others mean hours",
        ),
        pytest.param(
            {"policy": {"max_age": "48"}},
            ("policy", "max_age"),
            'max_age is "48", which is not in the right form; say which unit is meant, as in 48h or 48m',
            id="the same as text",
        ),
        pytest.param(
            {"policy": {"min_age": "half an hour"}},
            ("policy", "min_age"),
            'min_age is "half an hour", which is not in the right form; write a span such as 30m, 24h or 2d',
            id="no duration",
        ),
        pytest.param(
            {"policy": {"min_age": -5}},
            ("policy", "min_age"),
            "min_age is -5, less than 0; write a span such as 30m, 24h or 2d",
            id="a negative duration",
        ),
        pytest.param(
            {"policy": {"min_stable_verifications": 0}},
            ("policy", "min_stable_verifications"),
            "min_stable_verifications is 0, less than 1; write a whole number from 1 to 99; 2 means two equal reads",
            id="no reads at all",
        ),
        pytest.param({"polcy": {}}, ("polcy",), "polcy is not known here; write policy", id="a misspelt section"),
        pytest.param(
            {"frameworks": {"x": {"key": ["k"]}}},
            ("frameworks", "x", "key"),
            "key is not known here; take it out or write one of provider, api_key_ids, project_ids, models, batch",
            id="an unknown member",
        ),
        pytest.param(
            {"frameworks": {1: None}},
            ("frameworks", 1),
            "frameworks[1] is null, not an object; write a mapping with provider, api_key_ids, project_ids or models",
            id="a key that is no text, as YAML allows",
        ),
        pytest.param(
            {"frameworks": {"x": {"provider": "openia"}}},
            ("frameworks", "x", "provider"),
            'provider is "openia", none of openai; write "openai"',
            id="an unknown provider",
        ),
        pytest.param(
            {"frameworks": {"x": {"api_key_ids": []}}},
            ("frameworks", "x", "api_key_ids"),
            "api_key_ids is a list of 0; write a list of one id or more, or leave it out",
            id="an empty list, which would admit every key",
        ),
        pytest.param(
            {"frameworks": {"x": {"api_key_ids": ["sk-live-1234"]}}},
            ("frameworks", "x", "api_key_ids", 0),
            'api_key_ids[0] is "sk-...", which is not in the right form; write the id that the provider\'s dashboard '
            "shows, such as key_abc123, and never the key itself",
            id="a secret where its id belongs",
        ),
        pytest.param(
            {"runs": date(2026, 1, 5)},
            ("runs",),
            'runs is "2026-01-05", not text; write the path of a folder, such as runs',
            id="what YAML took for a date",
        ),
        pytest.param(
            ["runs"],
            (),
            "the document is a list, not an object; "
            "write a mapping with runs, policy, frameworks, logs, pricing, providers and labels",
            id="no mapping",
        ),
    ],
)
def test_explain__says_what_is_wrong_and_what_to_write(settings, pointer, sentence):
    assert explain(SCHEMA, settings) == [(pointer, sentence)]


def test_explain__tells_of_every_place():
    settings = {"runs": "", "policy": {"min_age": "soon", "minimum": 3}, "frameworks": {"x": {"models": "gpt"}}}
    assert {pointer for pointer, _ in explain(SCHEMA, settings)} == {
        ("runs",),
        ("policy", "minimum"),
        ("policy", "min_age"),
        ("frameworks", "x", "models"),
    }
