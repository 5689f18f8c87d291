Gem::Specif
  s.name = "foo"
  s.version = 
