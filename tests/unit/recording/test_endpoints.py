"""What a request is, by its method and its path."""

import pytest

from reconcile.recording.endpoints import DestinationKind, endpoint_of

COUNTED = {
    "/v1/chat/completions": "chat",
    "/chat/completions/": "chat",
    "/openai/deployments/four/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/responses": "responses",
    "/openai/v1/responses": "responses",
    "/v1/responses/compact": "responses",
    "/v1/messages": "messages",
}

OTHERS = {
    "/v1/embeddings": "embeddings",
    "/openai/deployments/small/embeddings": "embeddings",
    "/v1/audio/speech": "audio",
    "/v1/audio/transcriptions": "audio",
    "/v1/images/generations": "images",
    "/v1/images/edits": "images",
    "/v1/moderations": "moderations",
    "/v1/videos": "videos",
    "/v1/vector_stores/vs_1/search": "vector_stores",
    "/v1/fine_tuning/jobs": "fine_tuning",
}

FREE = [
    "DELETE /v1/responses/resp_1",
    "HEAD /v1/models",
    "GET /v1/models",
    "GET /v1/models/gpt-4o-mini",
    "GET /v1/files/file-1/content",
    "GET /v1/batches/batch_1",
    "GET /v1/messages/batches/msgbatch_1/results",
    "GET /v1/chat/completions/chatcmpl-1",
    "GET /v1/threads/thread_1/runs/run_1",
    "GET /v1/responses/resp_1/input_items",
    "POST /v1/files",
    "POST /v1/uploads/upload_1/parts",
    "POST /v1/responses/input_tokens",
    "POST /v1/messages/count_tokens",
    "POST /v1/batches/batch_1/cancel",
    "POST /v1/conversations/conv_1/items",
    "POST /v1/assistants",
    "POST /v1/threads",
    "POST /v1/threads/thread_1",
    "POST /v1/threads/thread_1/messages",
    "POST /v1/threads/thread_1/runs/run_1/cancel",
    "POST /v1/vector_stores/vs_1/files",
]

UNKNOWN = [
    "POST /v1/threads/runs",
    "POST /v1/threads/thread_1/runs",
    "POST /v1/threads/thread_1/runs/run_1/submit_tool_outputs",
    "POST /v1/batches",
    "POST /v1/messages/batches",
    "POST /v1/evals/eval_1/runs",
    "POST /v1/fine_tuning/alpha/graders/run",
    "POST /v1/realtime/client_secrets",
    "POST /v1/realtime/calls",
    "POST /v1/complete",
    "POST /v1beta/models/gemini-3:generateContent",
    "POST /model/claude/invoke",
    "POST /v2/chat",
    "PUT /v1/chat/completions",
    "POST ",
]


@pytest.mark.parametrize("path", COUNTED)
def test_a_call_of_completions_is_one_at_whatever_address(path):
    found = endpoint_of("POST", path)
    assert (found.kind, found.name) == (DestinationKind.COUNTED, COUNTED[path])


@pytest.mark.parametrize("path", OTHERS)
def test_a_call_of_another_endpoint_has_its_name(path):
    found = endpoint_of("POST", path)
    assert (found.kind, found.name) == (DestinationKind.OTHER, OTHERS[path])


@pytest.mark.parametrize("request_line", FREE)
def test_what_uses_no_tokens_is_free(request_line):
    assert endpoint_of(*request_line.split(" ")).kind is DestinationKind.FREE


@pytest.mark.parametrize("request_line", UNKNOWN)
def test_what_nobody_knows_is_unknown_and_named(request_line):
    found = endpoint_of(*request_line.split(" "))
    assert (found.kind, found.name) == (DestinationKind.UNKNOWN, request_line)


def test_a_read_that_nobody_knows_is_looked_at():
    assert endpoint_of("GET", "/v1/anything").kind is DestinationKind.READ


@pytest.mark.parametrize("request_line", ["GET /v1/responses/resp_1", "POST /v1/responses/resp_1/cancel"])
def test_who_asks_after_a_response_follows_it(request_line):
    found = endpoint_of(*request_line.split(" "))
    assert (found.kind, found.about) == (DestinationKind.FOLLOWED, "resp_1")
