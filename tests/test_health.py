from django.db import connection


def test_a_process_that_answers_is_alive_without_a_database(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_process_with_its_database_is_ready(client, db):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_a_process_whose_database_is_gone_is_alive_but_not_ready(client, db):
    def gone(execute, sql, params, many, context):
        with connection.wrap_database_errors:
            raise connection.Database.OperationalError("the server closed the connection")

    with connection.execute_wrapper(gone):
        answer = client.get("/readyz")
        assert client.get("/healthz").status_code == 200
    assert (answer.status_code, answer.json()) == (503, {"status": "database unavailable"})
    assert client.get("/readyz").status_code == 200


def test_a_process_whose_database_is_not_migrated_is_not_ready(client, db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE syncs_syncrun RENAME TO elsewhere")
    assert client.get("/readyz").status_code == 503
