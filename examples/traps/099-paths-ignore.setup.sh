git add -A && git commit -q -m base
git update-ref refs/remotes/origin/main HEAD
echo 1 > src.py && git add -A && git commit -q -m first
mkdir docs && echo 1 > docs/a && echo 1 > README.md
