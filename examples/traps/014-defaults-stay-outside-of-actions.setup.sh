mkdir -p .github/actions/where
cat > .github/actions/where/action.yml <<'ACTION'
name: Where
description: Fails unless it runs in bash and in the workspace.
runs:
  using: composite
  steps:
    - shell: bash
      run: '[[ -n $BASH && $PWD == "$GITHUB_WORKSPACE" ]]'
ACTION
