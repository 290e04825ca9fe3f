"""The Celery application: how it is configured."""

from __future__ import annotations

from sightline_ingest_worker.broker import TASK_INDEX, celery_app
from sightline_service.queues import QUEUE_BACKFILL, QueueSettings


def test_the_queue_takes_json_alone_and_keeps_its_order():
    app = celery_app(QueueSettings(redis_url="redis://127.0.0.1:1/0"))
    assert app.conf.accept_content == ["json"]
    assert app.conf.broker_transport_options["visibility_timeout"] == 120
    assert app.conf.broker_transport_options["queue_order_strategy"] == "priority"
    assert app.conf.task_default_queue == QUEUE_BACKFILL


def test_tasks_are_queued_through_a_unix_socket_in_the_database_of_its_address(redis_server):
    with celery_app(QueueSettings(redis_url=redis_server.url)) as app:
        app.send_task(TASK_INDEX, args=[["a.jpg"]])
    assert redis_server.client.llen(QUEUE_BACKFILL) == 1
