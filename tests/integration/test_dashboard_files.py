"""The scripts of the dashboard as they are joined: in one scope, where a second name would take the place of the first."""

import re
from collections import Counter

from reconcile.adapters.dashboard_files import FOLDER, SCRIPTS, parts

DECLARED = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def test_every_script_is_joined_once():
    assert sorted(SCRIPTS) == sorted(file.stem for file in (FOLDER / "scripts").glob("*.js"))


def test_no_two_scripts_declare_one_name():
    names = Counter(DECLARED.findall(parts().script))
    assert [name for name, times in names.items() if times > 1] == []


def test_no_script_turns_text_into_markup_or_code_or_asks_for_anything():
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest|import\("
    )
    assert re.findall(forbidden, parts().script) == []
