import pytest

from vfsearch.encoders.installed import installed_file
from vfsearch.errors import MissingExtraError


def test_a_file_of_an_installed_package_is_found():
    assert installed_file("email", "message.py", "").name == "message.py"


@pytest.mark.parametrize("package", ["email", "math", "no_such_package"])
def test_a_file_that_is_not_installed_is_named_with_its_pip_line(package):
    message = f"weights.pt of the package {package} is not installed; install with: pip install x"
    with pytest.raises(MissingExtraError, match=message):
        installed_file(package, "weights.pt", "pip install x")
