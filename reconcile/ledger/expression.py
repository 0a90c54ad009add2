"""The one SQL expression that adds up a large log, for DuckDB as it stands and for other engines near enough.

It counts a line only where it can prove that reading it in Python gives the same: one strict object (or row) whose
fields have the plainest spelling. All other lines come back as they are, and are read in Python.
So nothing that is odd about a log makes a difference, but to the time it takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from reconcile.ledger.cells import LAST, MOST
from reconcile.ledger.formats import NAMES, Counters, Fields, Included, LogFormat, Shape, Timestamps, column, steps
from reconcile.ledger.lines import COUNTED, EMPTY
from reconcile.ledger.scroll import MOST_BYTES
from reconcile.money.entry import LOGGED_GRAIN
from reconcile.words import KEY_PREFIX

PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
LENIENT = ("\\", "\t", ",}", ",]", " }", " ]")
"""What a line does not hold that is counted in SQL: an escape may hide that a member is there twice, and the others
that a comma ends a list."""

NO_NUMBERS = tuple("".join(word) for name in ("nan", "inf") for word in product(*zip(name, name.upper(), strict=True)))
"""DuckDB takes them for numbers, however they are written. To look for each is quicker than to fold the whole line."""

SHALLOW = 1900
"""Bytes: a line of no more has no depth that Python's parser refuses."""

DEEPEST = 400
"""Brackets of one kind in a longer line."""

NAMED = ("model", "api_key_id", "project_id", "service_tier")
STATEFUL = ("attempt", "request_id", "aborted")
"""Fields that make one line depend on others."""

SOUND, ODD, BLANK = 0, 1, 2
"""What a row of the answer is: sums, a line that Python has to read, blank lines."""

SUMMED = ("uncached", "cached", "written", "output", "asked", "reasoning")
COLUMNS = (
    *("kind", "part", "odd", "quarter", "zone", *NAMED, "batch", "priced", "shape", "doubled", "lines"),
    *SUMMED,
    "cost",
)
"""Of the answer."""

COST_DECIMALS = 24
PLAIN_COST = r"[0-9]{1,6}([.][0-9]{1,20})?|[0-9]([.][0-9]{1,16})?e-0?[1-7]"
"""Of no more decimals than that."""


def expressible(log_format: LogFormat, header: Sequence[str]) -> bool:
    """Whether the expression can do anything for logs of this format."""
    fields = log_format.fields
    if fields is None or fields.attempt or fields.aborted or log_format.latest_wins or log_format.statement:
        return False
    if log_format.each or log_format.where or log_format.once or log_format.counters is Counters.RUNNING:
        return False
    if log_format.constants or log_format.thousands:
        return False
    paths = [path for name in NAMES for path in getattr(fields, name)]
    if log_format.shape is Shape.CSV:
        return len(set(header)) == len(header) and len(fields.cost) <= 1 and not any("->" in path for path in paths)
    return len(fields.cost) <= 1 and all(PLAIN_NAME.fullmatch(step) for path in paths for step in steps(path))


def expression(
    log_format: LogFormat,
    fields: Fields,
    header: Sequence[str],
    source: str,
    *,
    known: Sequence[Sequence[str]] = (),
    careful: bool = False,
) -> str:
    """The expression over `source`, a relation of `line` and `part`; its rows are `COLUMNS`.

    Parts are added up apart. Where a member is there twice DuckDB takes the first and Python the last. To look at each
    line for that is slow, so sums are `doubled` where their lines have such members; only a `careful` expression makes
    such lines odd. Lists of members that are `known` to hold none twice make it quicker.
    """
    csv = log_format.shape is Shape.CSV
    places = _Places(fields, header if csv else None)
    return f"""
WITH looked AS (SELECT part, line, {places.plain()} AS plain FROM {source}),
split AS (SELECT part, line, CASE WHEN plain THEN {places.split(careful=careful)} END AS v FROM looked),
told AS (
  SELECT part, line, v IS NOT NULL AS plain, CASE WHEN v IS NOT NULL THEN {places.members(known)} END AS members,
    {places.told()}, {places.cost()} AS cost_raw
  FROM split
),
typed AS (
  SELECT part, line, plain, members, cost AS cost_s, cost_raw,
    CASE WHEN cost IS NOT NULL THEN try_cast(cost_raw AS DECIMAL(38, {COST_DECIMALS})) END AS cost,
    {_clock(log_format)},
    {", ".join(f"try_cast({name} AS BIGINT) AS {name}_n" for name in (*COUNTED, "requests"))},
    {", ".join(f"{name} AS {name}_s" for name in (*NAMED, "batch", *COUNTED, "requests"))}
  FROM told
),
parts AS (
  SELECT *, {_parts(log_format, fields)} FROM typed
),
judged AS (
  SELECT *, CASE WHEN line IS NULL OR line = '' THEN {BLANK} WHEN coalesce({_sound(log_format)}, false) THEN {SOUND}
    ELSE {ODD} END AS kind
  FROM parts
)
{_answer(fields)}
"""  # noqa: S608  made of the settings alone, whose names are checked to be plain


def _answer(fields: Fields) -> str:
    """The `COLUMNS` of lines that were judged."""
    return f"""SELECT kind, part,
  CASE WHEN kind = {ODD} THEN line END AS odd,
  {_if_sound("quarter")} AS quarter,
  {_if_sound("zone")} AS zone,
  {", ".join(f"{_told(fields, name, f'{name}_s')} AS {name}" for name in (*NAMED, "batch"))},
  {_told(fields, "cost", "cost IS NOT NULL")} AS priced,
  {_if_sound("members")} AS shape,
  coalesce(len(list_filter(string_split(shape, chr(30)),
    lambda each: list_unique(string_split(each, chr(31))) < len(string_split(each, chr(31))))) > 0, false) AS doubled,
  count(*) AS lines,
  {", ".join(f"sum({_if_sound(name)}) AS sum_{name}" for name in SUMMED)},
  sum({_if_sound("cost")}) AS sum_cost
FROM judged
GROUP BY ALL"""  # noqa: S608  as above


def numbered(source: str) -> str:
    """The lines of `source` whose place in the log matters, with their number and in their order: those that look like
    another one, and those of the list `$odd`. A hash is enough: what it mistakes is told apart in Python."""
    return f"""
WITH wanted AS (
  SELECT hash(line) AS h FROM {source} WHERE line <> '' GROUP BY h HAVING count(*) > 1
  UNION ALL SELECT hash(unnest($odd))
)
SELECT n, line FROM (SELECT row_number() OVER () AS n, line FROM {source})
WHERE line <> '' AND hash(line) IN (SELECT h FROM wanted)
ORDER BY n
"""  # noqa: S608  the relation is ours


def _told(fields: Fields, name: str, told: str) -> str:
    """What is added up apart, where the format tells it at all."""
    return _if_sound(told) if getattr(fields, name) else "NULL"


def _if_sound(name: str) -> str:
    return f"CASE WHEN kind = {SOUND} THEN {name} END"


class _Places:
    """Where a line holds what: members of an object, or cells of a row where there is a header."""

    def __init__(self, fields: Fields, header: Sequence[str] | None) -> None:
        self._fields = fields
        self._header = header
        self._paths = [path for name in NAMES for path in getattr(fields, name)]

    def members(self, known: Sequence[Sequence[str]]) -> str:
        """The names of the members of every object that holds a path, parted by characters that no name holds; ''
        where all of them are `known` not to be there twice."""
        if self._header is not None:
            return "''"
        names = f"concat_ws(chr(30), {', '.join(f'array_to_string({keys}, chr(31))' for keys in self._keys())})"
        if not known:
            return names
        lists = [f"[{', '.join(_quoted(name) for name in each)}]" for each in known]
        seen = [f"({keys} IS NULL OR {' OR '.join(f'{keys} = {each}' for each in lists)})" for keys in self._keys()]
        return f"CASE WHEN {' AND '.join(seen)} THEN '' ELSE {names} END"

    def plain(self) -> str:
        """Whether the line is read in one way by everybody."""
        if self._header is None:
            return _strict()
        return f"""NOT contains(line, '"') AND len(string_split(line, ',')) = {len(self._header)}"""

    def split(self, *, careful: bool) -> str:
        """A list of what stands at each path of a plain line."""
        if self._header is not None:
            return "string_split(line, ',')"
        wanted = ", ".join(f"'{_json_path(steps(path))}'" for path in self._paths)
        found = f"try(json_extract(line, [{wanted}]))"
        once = " AND ".join(f"coalesce(list_unique({keys}) = len({keys}), true)" for keys in self._keys())
        return f"CASE WHEN json_valid(line) THEN CASE WHEN {once} THEN {found} END END" if careful else found

    def told(self) -> str:
        """Each field as JSON spells it, NULL where nothing is told."""
        return ", ".join(f"{self._field(name)} AS {name}" for name in NAMES if name not in STATEFUL)

    def cost(self) -> str:
        """The cost in the digits of the line: once read as JSON it would have lost some."""
        if not self._fields.cost:
            return "CAST(NULL AS VARCHAR)"
        if self._header is not None:
            return self._field("cost")
        name = f'"{steps(self._fields.cost[0])[-1]}":'
        read = f"CAST(v[{self._paths.index(self._fields.cost[0]) + 1}] AS VARCHAR)"
        stands = [f"contains(line, '{name}{blank}' || {read} || '{end}')" for blank in (" ", "") for end in ",}"]
        cut = f"split_part(split_part(ltrim(split_part(line, '{name}', 2)), ',', 1), '}}', 1)"
        return f"CASE WHEN v IS NULL THEN NULL WHEN {' OR '.join(stands)} THEN {read} ELSE {cut} END"

    def _keys(self) -> list[str]:
        parents = {steps(path)[:-1] for path in self._paths}
        above = {parent[:length] for parent in parents for length in range(len(parent) + 1)}
        return [f"json_keys(line, '{_json_path(each)}')" for each in sorted(above)]

    def _field(self, name: str) -> str:
        cells = [self._cell(path, name) for path in getattr(self._fields, name)]
        return f"coalesce({', '.join(cells)})" if len(cells) > 1 else cells[0] if cells else "CAST(NULL AS VARCHAR)"

    def _cell(self, path: str, name: str) -> str:
        if self._header is None:
            return f"nullif(CAST(v[{self._paths.index(path) + 1}] AS VARCHAR), 'null')"
        if column(path) not in self._header:
            return "CAST(NULL AS VARCHAR)"
        cell = f"nullif(v[{self._header.index(column(path)) + 1}], '')"
        if name in NAMED:
            return f"""'"' || {cell} || '"'"""
        if name == "timestamp":
            return f"""CASE WHEN contains({cell}, '-') THEN '"' || {cell} || '"' ELSE {cell} END"""
        return cell


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _json_path(way: Sequence[str]) -> str:
    return "$" + "".join(f'."{name}"' for name in way)


def _strict() -> str:
    """Whether all readers of JSON read the line in one way. DuckDB lets commas end a list, and knows NaN and Infinity;
    Python gives up where it is nested too deep."""
    marks = " OR ".join(f"contains(line, '{mark}')" for mark in LENIENT)
    numbers = " OR ".join(f"contains(line, '{word}')" for word in NO_NUMBERS)
    deep = " OR ".join(f"strlen(line) - strlen(replace(line, '{mark}', '')) > {DEEPEST}" for mark in "{[")
    return f"""starts_with(line, '{{') AND NOT ({marks})
    AND NOT (CASE WHEN {numbers} THEN regexp_matches(line, '[:,[][ \\t]*-?(?i:nan|inf)') ELSE false END)
    AND NOT (CASE WHEN strlen(line) > {SHALLOW} THEN {deep} ELSE false END)"""


def _clock(log_format: LogFormat) -> str:
    """The quarter that a timestamp lies in by its own wall clock, and which clock that is: an offset, '' for none,
    U for a Unix time; no quarter where its spelling is not plain."""
    moment = "try_cast(substr(timestamp, 2, 19) AS TIMESTAMP)"
    unix = {
        Timestamps.DETECTED: f"{_unix(9, 10, 1)} {_unix(12, 13, 1000)}",
        Timestamps.SECONDS: _unix(9, 10, 1),
        Timestamps.MILLISECONDS: _unix(12, 13, 1000),
        Timestamps.MICROSECONDS: _unix(15, 16, 1_000_000),
        Timestamps.NANOSECONDS: _unix(18, 19, 1_000_000_000),
        Timestamps.RFC3339: "",
    }[log_format.timestamps]
    text = f"""WHEN starts_with(timestamp, '"20') AND timestamp < '"2099'
        AND CAST({moment} AS VARCHAR) = replace(substr(timestamp, 2, 19), 'T', ' ')
        AND translate(substr(timestamp, 21), '123456789', '000000000') IN ({_tails()})
        THEN epoch_us({moment}) // {LOGGED_GRAIN * 1_000_000}"""
    if log_format.timestamps not in {Timestamps.DETECTED, Timestamps.RFC3339}:
        text = ""
    zone = """CASE WHEN NOT starts_with(timestamp, '"') THEN 'U' WHEN ends_with(timestamp, 'Z"') THEN 'Z'
      WHEN substr(timestamp, -7, 1) IN ('+', '-') THEN substr(timestamp, -7, 6) ELSE '' END"""
    return f"CASE {text} {unix} ELSE NULL END AS quarter, {zone} AS zone"


def _unix(least: int, most: int, divisor: int) -> str:
    shape = f"strlen(timestamp) BETWEEN {least} AND {most}"
    number = "try_cast(timestamp AS BIGINT)"
    return (
        f"WHEN {shape} AND CAST({number} AS VARCHAR) = timestamp AND {number} > 0 "
        f"THEN {number} // {divisor * LOGGED_GRAIN}"
    )


def _tails() -> str:
    """Every plain spelling of what follows the second in a timestamp, with a 0 for each digit."""
    fractions = ["", *("." + "0" * digits for digits in range(1, 10))]
    tails = [f"{fraction}{zone}" for fraction in fractions for zone in ("", "Z", "+00:00", "-00:00")]
    return ", ".join(f"""'{tail}"'""" for tail in tails)


def _empty() -> str:
    return ", ".join(f"""'"{word}"'""" for word in sorted(EMPTY))


def _parts(log_format: LogFormat, fields: Fields) -> str:
    """What `cells.parts_of` does."""

    def count(name: str) -> str:
        return f"{name}_n * {log_format.units}"

    def known(name: str) -> str:
        return f"coalesce({count(name)}, 0)"

    given, total = count("input_tokens"), count("total_tokens")
    left = f"CASE WHEN output_tokens_s IS NULL THEN {total} - {given} ELSE {count('output_tokens')} END"
    answered = left if fields.output_tokens else "0"
    within = ["0"]
    within += [known("cached_tokens")] if Included.CACHED in log_format.input_includes else []
    within += [known("cache_write_tokens")] if Included.CACHE_WRITE in log_format.input_includes else []
    reasoning = known("reasoning_tokens")
    output = answered if log_format.output_includes_reasoning else f"{answered} + {reasoning}"
    return f"""{given} AS given, {answered} AS answered, {total} AS total, {reasoning} AS reasoning,
    {given} - ({" + ".join(within)}) AS uncached, {known("cached_tokens")} AS cached,
    {known("cache_write_tokens")} AS written, {output} AS output, coalesce(requests_n, 1) AS asked"""


def _sound(log_format: LogFormat) -> str:
    """Whether Python is certain to count the line as it was counted here."""
    most = MOST // log_format.units
    stated = "true" if log_format.time_zone is not None else "false"
    rules = [
        f"plain AND strlen(line) <= {MOST_BYTES} AND quarter < {LAST // LOGGED_GRAIN} AND input_tokens_s IS NOT NULL",
        f"""(zone IN ('U', 'Z') OR zone = '' AND {stated}
        OR substr(zone, 2, 2) <= '14' AND substr(zone, 5, 2) IN ('00', '15', '30', '45'))""",
        *(
            f"({name}_s IS NULL OR CAST({name}_n AS VARCHAR) = {name}_s AND {name}_n BETWEEN 0 AND {most})"
            for name in COUNTED
        ),
        f"(requests_s IS NULL OR CAST(requests_n AS VARCHAR) = requests_s AND requests_n BETWEEN 0 AND {MOST})",
        *(
            f"""({name}_s IS NULL OR starts_with({name}_s, '"') AND strlen({name}_s) <= 202
        AND NOT starts_with({name}_s, '"{KEY_PREFIX}') AND lower({name}_s) NOT IN ({_empty()}))"""
            for name in NAMED
        ),
        "(batch_s IS NULL OR batch_s IN ('true', 'false'))",
        f"""(cost_s IS NULL OR cost IS NOT NULL AND regexp_full_match(cost_raw, '{PLAIN_COST}')
        AND try_cast(cost_raw AS DOUBLE) = try_cast(cost_s AS DOUBLE))""",
        "uncached >= 0 AND answered >= 0",
        "(total IS NULL OR total = given + answered OR total = uncached + cached + written + output)",
    ]
    if log_format.output_includes_reasoning:
        rules.append("reasoning <= answered")
    return "\n    AND ".join(rules)
