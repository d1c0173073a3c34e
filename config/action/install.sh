#!/usr/bin/env bash
# Finds `provision` for action.yml, or gets it: from the input, the PATH, the release of this very version, or the source.
# Says where it is in the output `binary`.
set -euo pipefail

found() {
    printf 'binary=%s\n' "$1" >>"$GITHUB_OUTPUT"
    printf 'provision: %s\n' "$1"
    exit 0
}

fail() {
    printf '::error title=provision::%s\n' "$1"
    exit 1
}

if [ -n "${INPUT_BINARY:-}" ]; then
    # The output is one line, and the message is a workflow command: neither takes a second line.
    case $INPUT_BINARY in *[[:cntrl:]]*) fail 'the input binary holds control characters' ;; esac
    command -v -- "$INPUT_BINARY" >/dev/null || fail 'the input binary names nothing that can be run'
    found "$INPUT_BINARY"
fi
if known=$(command -v provision); then
    found "$known"
fi

place=${RUNNER_TEMP:?}/provision
version=$(sed -n 's/^version = "\([0-9A-Za-z.+-]*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)
case $(uname -sm) in
'Linux x86_64') target=x86_64-unknown-linux-gnu ;;
'Linux aarch64') target=aarch64-unknown-linux-gnu ;;
'Darwin arm64') target=aarch64-apple-darwin ;;
*) target= ;;
esac

# Only a version that was asked for by its tag is what the release holds; a branch has moved on.
released() {
    case ${ACTION_REF:-} in v[0-9]*) ;; *) return 1 ;; esac
    [ -n "${ACTION_REPOSITORY:-}" ] && [ -n "$target" ] && command -v gh >/dev/null || return 1
    local asset=provision-$target.tar.gz
    mkdir -p "$place/bin"
    gh release download "v$version" --repo "$ACTION_REPOSITORY" --dir "$place" --clobber --pattern "$asset" --pattern "$asset.sha256" ||
        return 1
    (cd "$place" && { sha256sum --check "$asset.sha256" || shasum --algorithm 256 --check "$asset.sha256"; } 2>/dev/null) ||
        fail "the release's $asset is not what its checksum says"
    tar -xzf "$place/$asset" -C "$place/bin" provision
}

if released; then
    found "$place/bin/provision"
fi
command -v cargo >/dev/null ||
    fail 'there is no release of this version for this machine, and no cargo to build it: install Rust in a step before'
cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$place"
found "$place/bin/provision"
