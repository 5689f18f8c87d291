{
  "syntax": "frontends.acme.dev/dockerfile:1",
  "#":
  "# expect: 2"
}
