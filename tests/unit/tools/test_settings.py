"""The reference of settings says what the code reads."""

from tools.settings import PAGE, PROCESSES, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page()


def test_every_setting_says_what_it_means() -> None:
    for kind in PROCESSES.values():
        assert not [name for name, field in kind.model_fields.items() if not field.description]
