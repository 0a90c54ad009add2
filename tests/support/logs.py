"""Usage logs drawn from dice: lines of every format, plain ones and odd ones, and the bytes they are written in."""

import json

WORDS = (
    "",
    "in",
    "nan",
    "info",
    "é",
    "\u2028",
    '"',
    "\\",
    "a,}",
    "model",
    '"model":',
    "x" * 30,
    " ]",
    "\t",
    "-Infinity",
)

ODD_NUMBERS = (
    "250.0",
    "-1",
    "1e3",
    '"12"',
    "null",
    "true",
    "NaN",
    "1e999",
    "12345678901234567890",
    "07",
    "0",
    "-0",
    "[]",
)
ODD_TIMES = (
    *(
        '"2026-02-30T10:00:00"',
        '"2026-01-03T24:00:00Z"',
        '"2026-01-03T10:00:61Z"',
        '"2026-01-03"',
        '"now"',
        "null",
        "12",
    ),
    *('"2026-01-03T10:59:00+05:31"', '"2026-01-03T10:59:00-09:30"', '"2026-01-03T10:59:00.5+05:45"', "1767434399.9999"),
    *(
        '"2026-01-03 10:59:00"',
        '"2026-1-3T10:59:00"',
        '"2026-01-03T10:59"',
        "1767434399",
        "1767434399999",
        "true",
        "{}",
    ),
    *(
        '"1767434399"',
        '"2026-01-03T10:59:00,25Z"',
        '"2026-01-03t10:59:00z"',
        "4102444800",
        "0",
        '"2099-12-31T23:59:59-10:00"',
    ),
    *('"2026-03-29T02:30:00"', '"2026-10-25T02:30:00"', '"2026-01-03T10:59:00+25:00"', '"2026-01-03T10:59:00+14:15"'),
)
ODD_NAMES = (
    '"sk-proj-secret"',
    '""',
    "null",
    "5",
    "1.50",
    '"\\u0067pt"',
    '"\\ud800"',
    '"' + "m" * 201 + '"',
    '"é"',
    "{}",
    '"a b"',
)
ODD_COSTS = (
    *("0.1000000000000000055511", "3.75e-05", "1e-7", "1E-7", "0", '"0.25"', "-1", "null", "1e5", "123456.5", "true"),
    *("1.2345678901234567e-05", "9.99999999999999999e-07", "0.123456789012345678901234", "1e-30", "NaN", "12345678.25"),
)


def seeds(dice, at):
    """A line of the seeds' form, as Python writes it."""
    given, answered = dice.randrange(5000), dice.randrange(900)
    value = {
        "session_id": f"{dice.getrandbits(32):08x}",
        "timestamp": at.isoformat(),
        "prompt_tokens": given,
        "completion_tokens": answered,
        "total_tokens": given + answered,
        "model": dice.choice(("gpt-4o", "gpt-4o-mini")),
        "call_type": "conversation",
        "scope": dice.choice(("IN_SCOPE", None)),
        "total_cost": given * 1.5e-7 + answered * 6e-7,
    }
    return json.dumps(value)


def openai(dice, at):
    """A response with its usage, chat or responses."""
    given, answered = dice.randrange(5000), dice.randrange(900)
    cached, reasoning = dice.randrange(given + 1), dice.randrange(answered + 1)
    chat = dice.random() < 0.5
    one, other = ("prompt", "completion") if chat else ("input", "output")
    usage = {
        f"{one}_tokens": given,
        f"{other}_tokens": answered,
        "total_tokens": given + answered,
        f"{one}_tokens_details": {"cached_tokens": cached},
        f"{other}_tokens_details": {"reasoning_tokens": reasoning},
    }
    value = {"id": "x", "created" if chat else "created_at": int(at.timestamp()), "model": "gpt-4o", "usage": usage}
    return json.dumps(value, separators=dice.choice(((",", ":"), (", ", ": "))))


HEADER = "time,in,out,cached,written,thought,requests,model,cost,key,project,batch,tier,note"


def _all(dice, at):
    given, answered = dice.randrange(5000), dice.randrange(900)
    cached = dice.randrange(given + 1)
    return {
        "time": dice.choice((at.isoformat(), f"{at.isoformat()}Z", f"{at.isoformat()}+05:45", int(at.timestamp()))),
        "in": given,
        "out": answered,
        "cached": cached,
        "written": dice.randrange(given - cached + 1),
        "thought": dice.randrange(answered + 1),
        "requests": dice.choice((1, 3)),
        "model": dice.choice(("gpt-4o", "gpt-4.1 mini")),
        "cost": dice.choice((None, 0.25, 3.75e-05)),
        "key": dice.choice(("key_a", "key_b", None)),
        "project": dice.choice(("proj_1", None)),
        "batch": dice.choice((True, False, None)),
        "tier": dice.choice(("default", "flex", None)),
        "note": dice.choice(("", "a b")),
    }


def everything(dice, at):
    """A line that says all there is to say."""
    return json.dumps(_all(dice, at))


def row(dice, at):
    """The same as a row of CSV."""
    return ",".join("" if cell is None else str(cell) for cell in _all(dice, at).values())


def _odd_row(dice, line):
    cells = line.split(",")
    at = dice.randrange(len(cells))
    values = (ODD_TIMES if at == 0 else ODD_NAMES if at in {7, 9, 10, 12} else ODD_COSTS) + ODD_NUMBERS
    bare = dice.choice(values).strip('"')
    cells[at] = dice.choice((bare, bare, f'"{bare}"', f" {bare}", "", '"', dice.choice(WORDS), "True", "0"))
    changed = ",".join(cells)
    return dice.choice((changed, changed, changed, changed + ",", "", " ", ",".join(cells[1:]), HEADER))


def odd(dice, line):
    """The line with something about it that a reader may take in its own way."""
    if not line.startswith("{"):
        return _odd_row(dice, line)
    names = [part.split('"')[-1] for part in line.split('":')[:-1]]
    name = dice.choice(names)
    before, _, after = line.partition(f'"{name}":')
    rest = after.lstrip()
    end = min((rest.find(mark) % (len(rest) + 1) for mark in ",}"), default=0)
    if "time" in name or "created" in name:
        values = ODD_TIMES
    elif "model" in name or "tier" in name or "key" in name:
        values = ODD_NAMES
    elif "cost" in name:
        values = ODD_COSTS
    else:
        values = ODD_NUMBERS
    changed = f'{before}"{name}": {dice.choice(values)}{rest[end:]}'
    word = dice.choice(WORDS)
    return dice.choice(
        (
            changed,
            changed,
            changed,
            f'{before}"{name}": 5, "{name}":{after}',
            f'{{"note": {json.dumps(word)}, {line[1:]}',
            f'{{"note": "{word}", {line[1:]}',
            line[:-1] + ",}",
            line[:-1] + ', "a": nan}',
            line[:-1] + ', "a": [1, 2 , ]}',
            line[:-1] + ', "usage": {"a": 1, "a": 2}}',
            line[:-1] + ', "deep": ' + "[" * 1500 + "]" * 1500 + "}",
            line[:-1] + ', "deep": ' + "[" * 50 + "]" * 50 + "}",
            line[:-1] + ', "long": "' + "x" * 3000 + '"}',
            line[: dice.randrange(len(line))],
            line + dice.choice(("x", " ", "\t", "{}")),
            " " + line,
            "[" + line + "]",
            dice.choice(("", " ", "\t", "null", "5", '"x"', "{}", "[]")),
        )
    )
