"""What a set-up says: written, to fill in, next."""

from textwrap import dedent

from reconcile.doctor.beginning import Beginning
from reconcile.report.diagnosis import started_text


def test_what_is_left_to_do_is_told():
    text = """
    Wrote
      reconcile.yml
      .gitignore

    To fill in
      reconcile.yml: the id of the API key of chat-dev; or set OPENAI_API_KEY_CHAT_DEV_ID
      .github/workflows/reconcile.yml: in the line `uses: OWNER/...` the owner and the commit of the Action
      on GitHub: an environment `usage` with the secret OPENAI_ADMIN_KEY

    Next
      reconcile record --framework chat-dev -- python experiment.py  # or any other command: it leaves the file of a run
      export OPENAI_ADMIN_KEY=sk-admin-...                           # without an account: `reconcile simulate`, in another terminal
      reconcile doctor                                               # whether all is set up as it should be
      reconcile run                                                  # 30 minutes after the run, and again an hour later
    """  # noqa: E501  as it is printed
    assert started_text(Beginning(framework="chat-dev"), ("reconcile.yml", ".gitignore")) == dedent(text).strip()


def test_where_all_is_said_nothing_is_to_be_filled_in():
    beginning = Beginning(framework="chatdev", key_ids=("key_a",), workflow=False)
    assert [part.split("\n")[0] for part in started_text(beginning, ("a",)).split("\n\n")] == ["Wrote", "Next"]
