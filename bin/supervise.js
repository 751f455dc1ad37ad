"use strict";

void require("../dist/main.cjs")
  .keepTunnels()
  .then((code) => {
    process.exitCode = code;
  });
