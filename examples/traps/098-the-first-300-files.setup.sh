git add -A && git commit -q -m base
mkdir a z && touch a/{001..300} z/1
