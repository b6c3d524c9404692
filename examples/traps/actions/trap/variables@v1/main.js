const fs = require("fs");
for (const name of process.env.INPUT_NAMES.split(" ")) {
  console.log(`${name}=[${process.env[name] === undefined ? "absent" : process.env[name]}]`);
}
fs.appendFileSync(process.env.GITHUB_OUTPUT, "declared=1\nundeclared=2\n");
fs.appendFileSync(process.env.GITHUB_ENV, "EXPORTED_BY_ACTION=yes\n");
