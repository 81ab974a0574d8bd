from har_demo.weights.state import megabytes


def test_sizes_as_people_read_them():
    assert megabytes(4_210_000) == "4.2 MB"
    assert megabytes(127_359_000) == "127 MB"
