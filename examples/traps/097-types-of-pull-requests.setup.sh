for action in synchronize closed; do
  echo '{"action":"'$action'","number":1,"pull_request":{"number":1,"head":{"ref":"x","sha":""},"base":{"ref":"main","sha":""}}}' > $action.json
done
