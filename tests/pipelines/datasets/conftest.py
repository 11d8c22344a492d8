import pytest

from pipelines.datasets.flights import write_flights


@pytest.fixture(scope="session")
def flights_folder(tmp_path_factory):
    """The whole data set, written once."""
    folder = tmp_path_factory.mktemp("flights")
    write_flights(str(folder))
    return folder
