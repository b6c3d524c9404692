console.log("asked for 24, runs");
