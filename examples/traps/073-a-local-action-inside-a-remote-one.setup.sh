mkdir -p .github/actions/here
cat > .github/actions/here/action.yml <<'ACTION'
name: Here
description: An action of the workspace.
runs:
  using: composite
  steps:
    - shell: bash
      run: echo "in the"" workspace"
ACTION
