"""The text of a configuration is replaced whole, or left as it is."""

import pytest

from reconcile.doctor import key_file
from reconcile.errors import StoreError


def test_a_file_that_is_not_there_is_empty_and_is_made(tmp_path):
    file = tmp_path / "reconcile.yml"
    assert key_file.read(file) == ""
    key_file.replace_file(file, "", "runs: a\n")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"runs: a\n", 0o644)


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real.yml").write_text("a\r\n", newline="")
    link = tmp_path / "reconcile.yml"
    link.symlink_to("real.yml")
    key_file.replace_file(link, key_file.read(link), "b\r\n")
    assert (link.is_symlink(), (tmp_path / "real.yml").read_bytes()) == (True, b"b\r\n")


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path):
    file = tmp_path / "reconcile.yml"
    file.write_text("theirs")
    with pytest.raises(StoreError, match="somebody else"):
        key_file.replace_file(file, "ours", "new")
    assert file.read_text() == "theirs"


def test_what_cannot_be_read_or_written_is_told_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "binary.yml").write_bytes(b"\xff")
    with pytest.raises(StoreError, match="cannot be read"):
        key_file.read(tmp_path / "binary.yml")
    with pytest.raises(StoreError, match="cannot be written"):
        key_file.replace_file(tmp_path / "nowhere" / "reconcile.yml", "", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["binary.yml"]
