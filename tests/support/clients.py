"""Clients of a provider, tried in a process of their own, for which package comes from where is settled there.

    python -m support.clients openai

prints an object: for each thing that was tried what was wrong about the run that it left, nothing where all is right.
"""

import asyncio
import json
import sys
import tempfile
from contextlib import suppress

from support.models import SECRET, Models
from support.recordings import Left, usage_of

import reconcile

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}
RESPONSES = {"model": "gpt-4o-mini", "input": SECRET}
MESSAGES = {**CHAT, "max_tokens": 9}
COMPACTING = {"context_management": {"edits": [{"type": "compact_20260112"}]}}
USAGE = {"include_usage": True}
TRIES = {}


def tried(library, client=None, **expected):
    """What is tried of a library with a client of it, and what is expected of the run, a call that is counted."""

    def register(function):
        name = function.__name__.removeprefix(f"{library}_").replace("_", " ")
        TRIES.setdefault(library, {})[name] = (function, client, expected)
        return function

    return register


def outcome(function, client, expected):
    """What is wrong about what the run left, as a text."""
    script = expected.get("script", [])
    with Models() as models, tempfile.TemporaryDirectory() as folder:
        models.script = list(script)
        with reconcile.record("lab", run_id="a", runs=folder, complete=True, environ={}) as run:
            made = client(models) if client else None
            if made is not None:
                run.watch(made)
            result = function(*(each for each in (made, run, models) if each is not None))
            if asyncio.iscoroutine(result):
                asyncio.run(result)
        left = Left(run.folder)
        return wrong(left, models, expected)


def wrong(left, models, expected):
    wanted = {
        "complete": expected.get("complete", True),
        "calls": expected.get("calls", 1),
        "aborted": expected.get("aborted", 0),
        "unknown": expected.get("unknown", 0),
        "pending": expected.get("pending", 0),
        "others": expected.get("others", {}),
    }
    log = left.log
    found = {
        "complete": log.complete,
        "calls": log.total.api_calls,
        "aborted": log.aborted,
        "unknown": log.unknown,
        "pending": log.pending,
        "others": dict(log.others),
    }
    said = [f"{name}: {found[name]}, not {wanted[name]}" for name in wanted if found[name] != wanted[name]]
    whole = not (wanted["aborted"] or wanted["unknown"] or wanted["pending"]) and wanted["complete"]
    if whole and log.total != models.truth:
        said.append(f"{log.total}, not {models.truth}")
    if whole and left.recorded != usage_of(models.truth):
        said.append(f"recorded: {left.recorded}")
    if [word for word in SECRET.split() if len(word) > 4 and word in left.text]:
        said.append("the prompt was written")
    return "; ".join(said)


def main():
    found = {}
    for name, tried_so in TRIES[sys.argv[1]].items():
        try:
            found[name] = outcome(*tried_so)
        except Exception as error:  # noqa: BLE001  whatever a client does is told
            found[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))  # noqa: T201  read by the test


# ----------------------------------------------------------------------------------------------------------- openai


def openai_client(models, **options):
    import openai  # noqa: PLC0415

    return openai.OpenAI(api_key="sk-x", base_url=models.base_url, **{"max_retries": 2, "timeout": 5, **options})


def openai_async(models):
    import openai  # noqa: PLC0415

    return openai.AsyncOpenAI(api_key="sk-x", base_url=models.base_url, max_retries=0, timeout=5)


@tried("openai", openai_client)
def openai_chat(client, run, _):
    run.add(client.chat.completions.create(**CHAT))


@tried("openai", openai_client)
def openai_chat_streamed(client, run, _):
    for chunk in client.chat.completions.create(**CHAT, stream=True, stream_options=USAGE):
        run.add(chunk)


@tried("openai", openai_client)
def openai_responses(client, run, _):
    run.add(client.responses.create(**RESPONSES))


@tried("openai", openai_client)
def openai_responses_streamed(client, run, _):
    for event in client.responses.create(**RESPONSES, stream=True):
        run.add(event)


@tried("openai", openai_client)
def openai_raw(client, *_):
    client.with_options(timeout=4).chat.completions.with_raw_response.create(**CHAT).parse()


@tried("openai", openai_client)
def openai_streaming_response(client, *_):
    with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        response.read()


@tried("openai", openai_client)
def openai_streaming_response_read_raw(client, *_):
    with client.chat.completions.with_streaming_response.create(**CHAT, stream=True, stream_options=USAGE) as response:
        list(response.http_response.iter_raw())


@tried("openai", openai_client, script=["429"])
def openai_refused_and_retried(client, *_):
    client.chat.completions.create(**CHAT)


@tried("openai", openai_client, script=["billed 504"], aborted=1)
def openai_failed_and_retried(client, *_):
    client.chat.completions.create(**CHAT)


@tried("openai", openai_client, script=["silent"], aborted=1)
def openai_timed_out_and_retried(client, *_):
    client.with_options(timeout=0.5).chat.completions.create(**CHAT)


@tried("openai", openai_client, script=["stalled"], aborted=1, calls=0)
def openai_left(client, *_):
    with client.responses.create(**RESPONSES, stream=True) as stream:
        next(iter(stream))


@tried("openai", openai_client, script=["cut"], aborted=1, calls=0)
def openai_cut(client, *_):
    with suppress(Exception):
        list(client.responses.create(**RESPONSES, stream=True))


@tried("openai", openai_client, script=["error"], aborted=1, calls=0)
def openai_error_in_a_stream(client, *_):
    with suppress(Exception):
        list(client.chat.completions.create(**CHAT, stream=True))


@tried("openai", openai_client)
def openai_compacted(client, *_):
    """Older versions have no method of their own for it."""
    compact = getattr(client.responses, "compact", None)
    if compact:
        compact(**RESPONSES)
    else:
        client.post("/responses/compact", cast_to=object, body=RESPONSES)


@tried("openai", openai_client)
def openai_in_background(client, run, _):
    response = client.responses.create(**RESPONSES, background=True)
    while response.status != "completed":
        response = client.responses.retrieve(response.id)
    run.add(response)


@tried("openai", openai_client, complete=False, calls=0, pending=1)
def openai_in_background_and_not_awaited(client, *_):
    client.responses.create(**RESPONSES, background=True)


@tried("openai", openai_client, calls=0, others={"embeddings": 1})
def openai_embeddings(client, *_):
    client.embeddings.create(model="m", input="a", encoding_format="float")


@tried("openai", openai_client, complete=False, calls=0, unknown=1)
def openai_assistants(client, *_):
    client.beta.threads.create_and_run(assistant_id="asst_1")


@tried("openai", openai_client, complete=False, calls=0, unknown=1)
def openai_batch(client, *_):
    client.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")


@tried("openai", openai_client, calls=1)
def openai_what_is_free(client, *_):
    client.models.list()
    client.files.create(file=b"x", purpose="batch")
    client.chat.completions.create(**CHAT)


@tried("openai", complete=False, calls=0, unknown=1)
def openai_websocket(run, models):
    """Opened to the very place of the client, where nobody answers it: the handshake alone is noticed."""
    client = run.watch(openai_client(models, websocket_base_url=models.base_url.replace("http:", "ws:")))
    realtime = getattr(client, "realtime", None) or client.beta.realtime
    with suppress(Exception), realtime.connect(model="gpt-realtime"):
        pass


@tried("openai", complete=False, calls=0, unknown=1)
def openai_websocket_of_responses(run, models):
    """Versions that have none open one by hand, which is the same handshake."""
    address = models.base_url.replace("http:", "ws:")
    client = run.watch(openai_client(models, websocket_base_url=address))
    with suppress(Exception):
        if hasattr(client.responses, "connect"):
            with client.responses.connect():
                pass
        else:
            from websockets.sync.client import connect  # noqa: PLC0415

            connect(f"{address}/responses", additional_headers={"Authorization": "Bearer sk-x"})


@tried("openai", openai_async, calls=4)
async def openai_asynchronous(client, run, _):
    async def streamed():
        async for chunk in await client.chat.completions.create(**CHAT, stream=True, stream_options=USAGE):
            run.add(chunk)

    async def in_background():
        response = await client.responses.create(**RESPONSES, background=True)
        while response.status != "completed":
            response = await client.responses.retrieve(response.id)

    await asyncio.gather(
        client.chat.completions.create(**CHAT), client.responses.create(**RESPONSES), streamed(), in_background()
    )
    await client.close()


@tried("openai", openai_async, script=["silent"], aborted=1, calls=0)
async def openai_asynchronous_cancelled(client, _, models):
    task = asyncio.create_task(client.chat.completions.create(**CHAT))
    await asyncio.to_thread(models.silent.wait)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await client.close()


@tried("openai", openai_async, script=["429", "billed 504", "silent"], aborted=2)
async def openai_asynchronous_retried_and_timed_out(client, *_):
    await client.with_options(max_retries=3, timeout=0.5).chat.completions.create(**CHAT)
    await client.close()


@tried("openai", openai_async)
async def openai_asynchronous_read_raw(client, *_):
    async with client.responses.with_streaming_response.create(**RESPONSES, stream=True) as response:
        async for _ in response.http_response.aiter_raw():
            pass
    await client.close()


@tried("openai", openai_async, script=["stalled"], aborted=1, calls=0)
async def openai_asynchronous_left(client, *_):
    async with await client.responses.create(**RESPONSES, stream=True) as stream:
        await anext(aiter(stream))
    await client.close()


# -------------------------------------------------------------------------------------------------------- anthropic


def anthropic_client(models):
    import anthropic  # noqa: PLC0415

    return anthropic.Anthropic(api_key="x", base_url=models.origin, max_retries=2, timeout=5)


def anthropic_async(models):
    import anthropic  # noqa: PLC0415

    return anthropic.AsyncAnthropic(api_key="x", base_url=models.origin, max_retries=0, timeout=5)


@tried("anthropic", anthropic_client)
def anthropic_message(client, run, _):
    run.add(client.messages.create(**MESSAGES))


@tried("anthropic", anthropic_client)
def anthropic_streamed(client, run, _):
    for event in client.messages.create(**MESSAGES, stream=True):
        run.add(event)


@tried("anthropic", anthropic_client)
def anthropic_helper_of_streams(client, run, _):
    with client.messages.stream(**MESSAGES) as stream:
        for event in stream:
            run.add(event)
        run.add(stream.get_final_message())


@tried("anthropic")
def anthropic_added(run, models):
    for event in anthropic_client(models).messages.create(**MESSAGES, stream=True):
        run.add(event)


@tried("anthropic", anthropic_client)
def anthropic_raw(client, *_):
    client.with_options(timeout=4).messages.with_raw_response.create(**MESSAGES).parse()


@tried("anthropic", anthropic_client)
def anthropic_beta(client, *_):
    client.beta.messages.create(**MESSAGES)


@tried("anthropic", anthropic_client, script=["429", "billed 529"], aborted=1)
def anthropic_retried(client, *_):
    client.messages.create(**MESSAGES)


@tried("anthropic", anthropic_client, script=["silent"], aborted=1)
def anthropic_timed_out(client, *_):
    client.with_options(timeout=0.5).messages.create(**MESSAGES)


@tried("anthropic", anthropic_client, script=["stalled"], aborted=1, calls=0)
def anthropic_left(client, *_):
    with client.messages.create(**MESSAGES, stream=True) as stream:
        next(iter(stream))


@tried("anthropic", anthropic_client)
def anthropic_streaming_response_read_raw(client, *_):
    with client.messages.with_streaming_response.create(**MESSAGES, stream=True) as response:
        list(response.http_response.iter_raw())


@tried("anthropic", anthropic_client)
def anthropic_compacted(client, run, _):
    """Of a message that was compacted the tokens of that come on top."""
    run.add(client.beta.messages.create(**MESSAGES, extra_body=COMPACTING))


@tried("anthropic", anthropic_client)
def anthropic_compacted_and_streamed(client, *_):
    list(client.beta.messages.create(**MESSAGES, extra_body=COMPACTING, stream=True))


@tried("anthropic", anthropic_client, script=["cut"], aborted=1, calls=0)
def anthropic_cut(client, *_):
    with suppress(Exception):
        list(client.messages.create(**MESSAGES, stream=True))


@tried("anthropic", anthropic_client, script=["error"], aborted=1, calls=0)
def anthropic_error_in_a_stream(client, *_):
    with suppress(Exception):
        list(client.messages.create(**MESSAGES, stream=True))


@tried("anthropic", anthropic_client, complete=False, calls=0, unknown=1)
def anthropic_batch(client, *_):
    client.messages.batches.create(requests=[{"custom_id": "1", "params": MESSAGES}])


@tried("anthropic", anthropic_client)
def anthropic_what_is_free(client, *_):
    client.messages.count_tokens(**CHAT)
    client.models.list()
    client.messages.create(**MESSAGES)


@tried("anthropic", anthropic_async, calls=2)
async def anthropic_asynchronous(client, *_):
    async def streamed():
        async with client.messages.stream(**MESSAGES) as stream:
            await stream.get_final_message()

    await asyncio.gather(client.messages.create(**MESSAGES), streamed())
    await client.close()


@tried("anthropic", anthropic_async, script=["429", "billed 529", "silent"], aborted=2)
async def anthropic_asynchronous_retried_and_timed_out(client, *_):
    await client.with_options(max_retries=3, timeout=0.5).messages.create(**MESSAGES)
    await client.close()


@tried("anthropic", anthropic_async, script=["stalled"], aborted=1, calls=0)
async def anthropic_asynchronous_left(client, *_):
    async with await client.messages.create(**MESSAGES, stream=True) as stream:
        await anext(aiter(stream))
    await client.close()


# ---------------------------------------------------------------------------------------------------------- litellm


def litellm_options(models):
    return {"model": "openai/gpt-4o-mini", "messages": CHAT["messages"], "api_base": models.base_url, "api_key": "sk-x"}


@tried("litellm")
def litellm_added(run, models):
    import litellm  # noqa: PLC0415

    run.add(litellm.completion(**litellm_options(models)))


@tried("litellm")
def litellm_streamed(run, models):
    import litellm  # noqa: PLC0415

    for chunk in litellm.completion(**litellm_options(models), stream=True, stream_options=USAGE):
        run.add(chunk)


@tried("litellm")
def litellm_of_anthropic(run, models):
    import litellm  # noqa: PLC0415

    options = {"model": "anthropic/claude-sonnet-4-5", "api_base": f"{models.origin}/v1/messages"}
    run.add(litellm.completion(**{**litellm_options(models), **options}))


@tried("litellm")
def litellm_asynchronous(run, models):
    import litellm  # noqa: PLC0415

    run.add(asyncio.run(litellm.acompletion(**litellm_options(models))))


@tried("litellm", openai_client)
def litellm_watched(client, run, models):
    import litellm  # noqa: PLC0415

    run.add(litellm.completion(**litellm_options(models), client=client))


@tried("litellm", openai_client)
def litellm_watched_and_streamed(client, run, models):
    import litellm  # noqa: PLC0415

    for chunk in litellm.completion(**litellm_options(models), stream=True, stream_options=USAGE, client=client):
        run.add(chunk)


@tried("litellm", openai_client, script=["429", "billed 504"], aborted=1)
def litellm_watched_and_retried(client, _, models):
    import litellm  # noqa: PLC0415

    litellm.completion(**litellm_options(models), client=client, max_retries=2)


@tried("litellm", openai_client, script=["silent"], aborted=1, calls=0)
def litellm_watched_and_timed_out(client, _, models):
    import litellm  # noqa: PLC0415

    with suppress(litellm.exceptions.Timeout):
        litellm.completion(**litellm_options(models), client=client, max_retries=0, timeout=0.5)


@tried("litellm", openai_client, script=["stalled"], aborted=1, calls=0)
def litellm_watched_and_left(client, _, models):
    import litellm  # noqa: PLC0415

    stream = litellm.completion(**litellm_options(models), stream=True, client=client)
    next(iter(stream))


@tried("litellm", openai_async)
async def litellm_watched_and_asynchronous(client, run, models):
    import litellm  # noqa: PLC0415

    run.add(await litellm.acompletion(**litellm_options(models), client=client))
    await client.close()


@tried("litellm")
def litellm_responses_added(run, models):
    import litellm  # noqa: PLC0415

    options = {name: value for name, value in litellm_options(models).items() if name != "messages"}
    run.add(litellm.responses(**options, input=SECRET))


@tried("litellm")
def litellm_in_background(run, models):
    import litellm  # noqa: PLC0415

    options = {"api_base": models.base_url, "api_key": "sk-x"}
    response = litellm.responses(model="openai/gpt-4o-mini", input=SECRET, background=True, **options)
    run.add(response)
    while response.status != "completed":
        response = litellm.get_responses(response_id=response.id, **options)
        run.add(response)


# ------------------------------------------------------------------------------------------ LangChain, Agents SDK


def langchain_model(models, **options):
    from langchain_openai import ChatOpenAI  # noqa: PLC0415

    options = {"max_retries": 0, **options}
    return ChatOpenAI(model="gpt-4o-mini", base_url=models.base_url, api_key="sk-x", **options)


def langchain_responses(models):
    return langchain_model(models, use_responses_api=True)


def langchain_patient(models):
    return langchain_model(models, timeout=0.5, max_retries=3)


def langchain_in_background(models):
    return langchain_model(models, use_responses_api=True, model_kwargs={"background": True})


def langchain_of_anthropic(models):
    from langchain_anthropic import ChatAnthropic  # noqa: PLC0415

    return ChatAnthropic(model="claude-x", base_url=models.origin, api_key="x", max_retries=0)


@tried("langchain")
def langchain_added(run, models):
    run.add(langchain_model(models).invoke(SECRET))


@tried("langchain")
def langchain_responses_added(run, models):
    run.add(langchain_model(models, use_responses_api=True).invoke(SECRET))


@tried("langchain")
def langchain_generations_added(run, models):
    from langchain_core.messages import HumanMessage  # noqa: PLC0415

    run.add(langchain_model(models).generate([[HumanMessage(SECRET)]]))


@tried("langchain")
def langchain_streamed_and_added(run, models):
    for chunk in langchain_model(models, stream_usage=True).stream(SECRET):
        run.add(chunk)


@tried("langchain")
def langchain_of_anthropic_added(run, models):
    run.add(langchain_of_anthropic(models).invoke(SECRET))


@tried("langchain")
def langchain_of_anthropic_streamed_and_added(run, models):
    for chunk in langchain_of_anthropic(models).stream(SECRET):
        run.add(chunk)


@tried("langchain", calls=2)
def langchain_responses_streamed_at_the_same_time_and_added(run, models):
    """Only the first chunk of each has the provider's id."""
    model = langchain_responses(models)
    for pair in zip(model.stream(SECRET), model.stream(SECRET), strict=True):
        for chunk in pair:
            run.add(chunk)


@tried("langchain", langchain_model)
def langchain_watched(model, run, _):
    run.add(model.invoke(SECRET))


@tried("langchain", langchain_model)
def langchain_watched_and_streamed(model, run, _):
    for chunk in model.stream(SECRET, stream_usage=True):
        run.add(chunk)


@tried("langchain", langchain_model)
def langchain_watched_asynchronous(model, run, _):
    run.add(asyncio.run(model.ainvoke(SECRET)))


@tried("langchain", langchain_of_anthropic)
def langchain_watched_of_anthropic(model, run, _):
    run.add(model.invoke(SECRET))


@tried("langchain", langchain_responses)
def langchain_watched_responses_streamed(model, run, _):
    for chunk in model.stream(SECRET):
        run.add(chunk)


@tried("langchain", langchain_patient, script=["429", "billed 504", "silent"], aborted=2)
def langchain_watched_retried_and_timed_out(model, *_):
    model.invoke(SECRET)


@tried("langchain", langchain_model, script=["stalled"], aborted=1, calls=0)
def langchain_watched_and_left(model, *_):
    stream = model.stream(SECRET)
    next(stream)
    stream.close()


@tried("langchain", langchain_model, script=["error"], aborted=1, calls=0)
def langchain_watched_with_an_error_in_a_stream(model, *_):
    with suppress(Exception):
        list(model.stream(SECRET))


@tried("langchain", langchain_in_background, complete=False, calls=0, pending=1)
def langchain_watched_in_background(model, run, _):
    """LangChain waits for nothing: it hands out a message without usage."""
    run.add(model.invoke(SECRET))


def agent(kind, client):
    import agents  # noqa: PLC0415

    agents.set_tracing_disabled(disabled=True)
    model = getattr(agents, kind)("gpt-4o-mini", openai_client=client)
    return agents.Agent(name="a", model=model)


async def ran(kind, client):
    from agents import Runner  # noqa: PLC0415

    result = await Runner.run(agent(kind, client), SECRET)
    await client.close()
    return result


@tried("agents")
def agents_added(run, models):
    run.add(asyncio.run(ran("OpenAIResponsesModel", openai_async(models))))


@tried("agents")
def agents_usage_added(run, models):
    run.add(asyncio.run(ran("OpenAIResponsesModel", openai_async(models))).context_wrapper.usage)


@tried("agents")
def agents_chat_added(run, models):
    run.add(asyncio.run(ran("OpenAIChatCompletionsModel", openai_async(models))))


@tried("agents", openai_async)
def agents_watched(client, run, _):
    run.add(asyncio.run(ran("OpenAIResponsesModel", client)))


@tried("agents", openai_async)
def agents_chat_watched(client, run, _):
    run.add(asyncio.run(ran("OpenAIChatCompletionsModel", client)))


@tried("agents", openai_async)
def agents_streamed_and_watched(client, run, _):
    async def experiment():
        from agents import Runner  # noqa: PLC0415

        result = Runner.run_streamed(agent("OpenAIResponsesModel", client), SECRET)
        async for _ in result.stream_events():
            pass
        await client.close()
        return result

    run.add(asyncio.run(experiment()))


@tried("agents", openai_async, script=["429", "billed 504", "silent"], aborted=2)
def agents_watched_retried_and_timed_out(client, *_):
    asyncio.run(ran("OpenAIResponsesModel", client.with_options(max_retries=3, timeout=0.5)))


@tried("agents", openai_async, script=["stalled"], aborted=1, calls=0)
async def agents_watched_and_left(client, *_):
    from agents import Runner  # noqa: PLC0415

    result = Runner.run_streamed(agent("OpenAIResponsesModel", client), SECRET)
    async for event in result.stream_events():
        if event.type == "raw_response_event":
            break
    result.cancel()
    with suppress(BaseException):
        await asyncio.wait_for(result.run_loop_task, 1)
    await client.close()


@tried("agents", openai_async, calls=2)
async def agents_watched_and_compacted(client, *_):
    from agents import Runner, SQLiteSession  # noqa: PLC0415
    from agents.memory import OpenAIResponsesCompactionSession  # noqa: PLC0415

    session = OpenAIResponsesCompactionSession("s", SQLiteSession("s"), client=client, compaction_mode="input")
    await Runner.run(agent("OpenAIResponsesModel", client), SECRET, session=session)
    await session.run_compaction({"force": True})
    await client.close()


@tried("agents", openai_async, complete=False, calls=0, unknown=1)
async def agents_watched_by_websocket(client, *_):
    """Opened to the very place of the client, where nobody answers it."""
    with suppress(Exception):
        await asyncio.wait_for(ran("OpenAIResponsesWSModel", client), 5)


if __name__ == "__main__":
    main()
