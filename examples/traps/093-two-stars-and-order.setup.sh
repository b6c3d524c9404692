git add -A && git commit -q -m base
git checkout -q -b feature/x
echo 1 > models.py && git add -A && git commit -q -m first
mkdir -p backend/docs && echo 1 > backend/docs/other.md
