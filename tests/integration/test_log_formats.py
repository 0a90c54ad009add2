"""The logs that reconcile.yml describes."""

import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reconcile import schemas
from reconcile.config.settings import Flags, load
from reconcile.errors import ConfigurationError
from reconcile.ledger.formats import CALLS, SEEDS, Counters, Fields, Included, LogFormat, Shape, Timestamps

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "usage-logs.md").read_text("utf-8")


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(text):
        (tmp_path / "reconcile.yml").write_text(text)
        return load(Flags(), {}, read_dotenv=False).logs

    return read


@pytest.mark.parametrize("text", ["runs: runs\n", "logs:\n", "logs: []\n"])
def test_no_log_is_described(logs, text):
    assert logs(text) == ()


def test_a_zone_alone_is_a_log_whose_format_is_recognised(logs):
    (source,) = logs("logs: {time_zone: Europe/Berlin}\n")
    assert (source.files, source.format) == ((), LogFormat(time_zone=ZoneInfo("Europe/Berlin")))


@pytest.mark.parametrize("name", ["UTC", "utc", "Z"])
def test_utc_needs_no_table_of_zones(logs, name):
    assert logs(f"logs: {{time_zone: {name}}}\n")[0].format.time_zone is UTC


def test_several_logs_each_have_their_files_environment_and_format(logs):
    first, second = logs(
        "logs:\n"
        "  - {name: app, files: logs/*.ndjson, environment: prod, format: seeds, time_zone: UTC}\n"
        "  - {name: runs, files: [a.ndjson, b.ndjson], format: calls}\n"
    )
    assert (first.name, first.files, first.environment) == ("app", ("logs/*.ndjson",), "prod")
    assert (first.format.fields, first.format.time_zone) == (SEEDS.fields, UTC)
    assert (second.files, second.format) == (("a.ndjson", "b.ndjson"), CALLS)


def test_patterns_start_in_the_folder_of_the_file(logs, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.yml").write_text("logs: {files: logs/*}\n")
    (source,) = load(Flags(config="sub/other.yml"), {}, read_dotenv=False).logs
    assert source.files == (str(Path("sub/logs/*")),)


def test_a_mapping_says_all_there_is_to_say(logs):
    (source,) = logs(
        "logs:\n"
        "  shape: csv\n"
        "  timestamps: milliseconds\n"
        "  units: thousands\n"
        "  input_includes: [cached]\n"
        "  output_includes_reasoning: false\n"
        "  fields: {timestamp: at, input_tokens: [in, usage.in], attempt: try}\n"
    )
    assert source.format == LogFormat(
        shape=Shape.CSV,
        timestamps=Timestamps.MILLISECONDS,
        units=1000,
        input_includes=frozenset({Included.CACHED}),
        output_includes_reasoning=False,
        fields=Fields(timestamp=("at",), input_tokens=("in", "usage.in"), attempt=("try",)),
    )


def test_a_mapping_beside_a_format_adds_to_it(logs):
    (source,) = logs("logs: {format: seeds, fields: {api_key_id: key}}\n")
    assert source.format.fields.api_key_id == ("key",)
    assert source.format.fields.input_tokens == ("prompt_tokens",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("logs: 5", "logs is 5"),
        ("logs: [5]", r"logs\[0\] is 5"),
        ("logs: {file: a}", "file is not known here"),
        ("logs: {format: other}", 'format is "other", none of calls, openai, seeds'),
        ("logs: {time_zone: Mars/Base}", "'Mars/Base' is no time zone"),
        ("logs: {time_zone: ../../etc/passwd}", "is no time zone"),
        ("logs: {time_zone: Europe}", "is no time zone"),
        ("logs: {fields: {timestamp: at}}", "fields lacks input_tokens"),
        ("logs: {fields: {timestamp: at, input_tokens: a..b}}", "dots between levels"),
        ("logs: {fields: {tokens: a}}", "tokens is not known here"),
        ("logs: {input_includes: [other]}", "write cached or cache_write"),
        ("logs: [{name: a}, {name: a}]", "'a' is the name of two logs"),
    ],
)
def test_a_log_that_is_described_wrongly_is_an_error_that_says_what_to_write(logs, text, words):
    with pytest.raises(ConfigurationError) as raised:
        logs(text)
    said = f"{raised.value.message}; {raised.value.remedy}"
    assert re.search(words, said), said


def test_the_mapping_that_the_documentation_shows_is_one(logs):
    first, second = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    traces, batch = logs(second)
    assert (traces.format.once, batch.format.constants) == (("id",), (("batch", True),))
    gateway, app = logs(first)
    assert gateway.format.fields.model == ("response.model", "request.model")
    assert app.format.fields == SEEDS.fields


def test_the_documentation_names_every_setting_and_field_of_a_log():
    schema = schemas.load("reconcile")
    names = {*schema["$defs"]["log"]["properties"], *schema["$defs"]["fields"]["properties"]}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_the_program_that_the_documentation_shows_prints_the_expression(capsys):
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(shown, {})  # noqa: S102  a program of this repository
    assert "FROM source" in capsys.readouterr().out


def test_a_mapping_says_which_lines_are_calls_and_what_they_all_say(logs):
    (source,) = logs(
        "logs:\n"
        "  each: samples.events\n"
        "  where: {type: GENERATION, ok: true, code: [200, 201]}\n"
        "  once: [id, request.id]\n"
        "  counters: running\n"
        "  thread: session\n"
        "  set: {batch: true, model: gpt-4o}\n"
        '  thousands: ","\n'
        "  timestamps: nanoseconds\n"
        "  fields: {timestamp: at, input_tokens: in}\n"
    )
    assert source.format == LogFormat(
        fields=Fields(timestamp=("at",), input_tokens=("in",)),
        each=("samples.events",),
        where=(("type", ("GENERATION",)), ("ok", ("true",)), ("code", ("200", "201"))),
        once=("id", "request.id"),
        latest_wins=True,
        counters=Counters.RUNNING,
        thread=("session",),
        constants=(("batch", True), ("model", "gpt-4o")),
        thousands=",",
        timestamps=Timestamps.NANOSECONDS,
    )
