#!/usr/bin/env bash
# Installs the program of this action into an environment of its own in $RUNNER_TEMP: hash-locked wheels, then the package.
# Nothing is written in the workspace, and nothing in the workspace is looked at. A comparison and list prices take more
# wheels (the first lock and what the extras need), which are installed only for them.
set -euo pipefail

cd "$RUNNER_TEMP"
# pip obeys these even in isolated mode, because it starts itself anew in the target environment.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT

python="${WANTED_PYTHON:-}"
if [ -z "$python" ]; then
  if command -v python3 >/dev/null; then python=python3; else python=python; fi
fi
refuse() {
  printf '::error::the Python %q %s: add actions/setup-python before this action, or name another with its input python\n' "$python" "$1"
  exit 1
}
# Written without a line end: on Windows a shell would keep half of it.
lack="$("$python" -I -c '
import importlib.util, sys
old = sys.version_info < (3, 11)
missing = [name for name in ("pip", "venv") if not importlib.util.find_spec(name)]
sys.stdout.write("is %d.%d, and 3.11 or newer is needed" % sys.version_info[:2] if old else " and ".join(missing))
' 2>/dev/null)" || refuse "cannot be started"
case "$lack" in
  "") ;;
  is*) refuse "$lack" ;;
  *) refuse "has no $lack" ;;
esac

version="$("$python" -I -c 'import platform, sys; sys.stdout.write(platform.python_version())')"
printf 'Installing LLM Usage Reconcile for Python %s (%q)\n' "$version" "$python"
environment="$RUNNER_TEMP/reconcile-environment"
lock=requirements.lock
if [ "${WANTED_EXTRAS:-}" = true ]; then lock=requirements-compare.lock; fi
"$python" -I -m venv --clear --without-pip "$environment"
if [ "${RUNNER_OS:-}" = Windows ]; then own="$environment/Scripts/python.exe"; else own="$environment/bin/python"; fi
"$python" -I -m pip --disable-pip-version-check --python "$own" install --quiet --no-compile \
  --require-hashes --no-deps --only-binary :all: --requirement "$GITHUB_ACTION_PATH/$lock"

packages="$("$own" -I -c 'import sys, sysconfig; sys.stdout.write(sysconfig.get_path("purelib"))')"
cp -R "$GITHUB_ACTION_PATH/reconcile" "$packages/reconcile"
rm -rf "$packages/reconcile/schemas"
cp -R "$GITHUB_ACTION_PATH/schemas" "$packages/reconcile/schemas"
echo "python=$own" >>"$GITHUB_OUTPUT"
