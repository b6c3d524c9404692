for (const name of Object.keys(process.env).filter((name) => name.startsWith("INPUT_")).sort()) {
  console.log(`${name}=[${process.env[name]}]`);
}
