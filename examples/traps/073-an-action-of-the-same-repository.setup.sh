mkdir -p .github/actions/here
cat > .github/actions/here/action.yml <<'ACTION'
name: Here
description: An action of the repository.
runs:
  using: composite
  steps:
    - shell: bash
      run: echo "found without"" a checkout"
ACTION
