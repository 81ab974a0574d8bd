"""A table is read once for as long as it stays the same."""

from har_demo.tables.rows import kept_rows, read_rows, write_rows


def test_rows_come_back_as_written(tmp_path):
    rows = [{"a": "1", "b": "x, y"}, {"a": "", "b": '"'}]
    write_rows(tmp_path / "t.csv", ("a", "b"), rows)
    assert read_rows(tmp_path / "t.csv") == rows


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path):
    file = tmp_path / "t.csv"
    assert kept_rows(file) == ()
    file.write_text("a\n1\n")
    first = kept_rows(file)
    assert first == ({"a": "1"},) and kept_rows(file) is first
    file.write_text("a\n1\n2\n")
    assert kept_rows(file) == ({"a": "1"}, {"a": "2"})
