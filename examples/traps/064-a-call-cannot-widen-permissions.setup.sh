cat > .github/workflows/called.yml <<'WORKFLOW'
on: workflow_call
permissions:
  packages: write
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [run: 'true']
WORKFLOW
