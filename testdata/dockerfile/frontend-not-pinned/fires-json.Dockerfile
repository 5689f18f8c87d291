{
  "syntax": "docker/dockerfile:1",
  "#":
  "# expect: 2"
}
