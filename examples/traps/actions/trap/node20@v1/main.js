console.log("asked for 20, runs");
