console.log(`::add-matcher::${__dirname}/matcher.json`);
