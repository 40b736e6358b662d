import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import database, env, env_flag, env_list, mailer


def test_a_variable_is_read(monkeypatch):
    monkeypatch.setenv("NAME", "value")
    assert env("NAME", "default") == "value"


def test_a_variable_can_stand_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("value\n")
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "secret"))
    assert env("NAME", "default") == "value"


def test_the_variable_goes_before_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("NAME", "value")
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "nothing"))
    assert env("NAME") == "value"


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_or_empty_variable_is_its_default(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("NAME", value)
    assert env("NAME", "default") == "default"


def test_a_variable_that_must_be_set_is_named(monkeypatch):
    with pytest.raises(ImproperlyConfigured, match=r"Set the environment variable NAME \(or NAME_FILE\)\."):
        env("NAME")


@pytest.mark.parametrize(
    ("value", "flag"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("no", False), ("", False)],
)
def test_a_flag_is_on_or_off(monkeypatch, value, flag):
    monkeypatch.setenv("NAME", value)
    assert env_flag("NAME") is flag


def test_a_list_is_split_at_its_commas(monkeypatch):
    monkeypatch.setenv("NAME", " a.example, ,b.example ,")
    assert env_list("NAME") == ["a.example", "b.example"]


def test_an_address_of_a_database_is_taken_apart():
    assert database("postgresql://me:p%40ss@db.example:6543/crossdock?sslmode=require") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "crossdock",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_can_be_behind_a_socket():
    found = database("postgres://me@/crossdock?host=/run/postgresql")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/run/postgresql", "", {})


@pytest.mark.parametrize("url", ["", "sqlite:///db.sqlite3", "mysql://me@db/crossdock"])
def test_another_kind_of_database_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="runs on PostgreSQL only"):
        database(url)


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://me:p%40ss@mail.example", 25, False, False),
        ("smtp+tls://me:p%40ss@mail.example", 587, True, False),
        ("smtp+ssl://me:p%40ss@mail.example", 465, False, True),
        ("smtp+tls://me:p%40ss@mail.example:2525", 2525, True, False),
    ],
)
def test_an_address_of_a_mail_server_is_taken_apart(url, port, tls, ssl):
    options = mailer(url)["OPTIONS"]
    assert options.pop("timeout") > 0
    assert options == {
        "host": "mail.example",
        "port": port,
        "username": "me",
        "password": "p@ss",
        "use_tls": tls,
        "use_ssl": ssl,
    }


def test_mail_can_go_to_a_folder():
    assert mailer("file:///var/my%20mail")["OPTIONS"] == {"file_path": "/var/my mail"}


@pytest.mark.parametrize("url", ["", "mail.example", "imap://mail.example"])
def test_another_way_to_send_mail_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must start with"):
        mailer(url)
