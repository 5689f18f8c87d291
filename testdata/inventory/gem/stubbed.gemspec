# -*- encoding: utf-8 -*-
# stub: stubbed 1.2.3 ruby lib
# stub: ext/stubbed/extconf.rb

Gem::Specification.new do |s|
  s.name = "stubbed".freeze
  s.version = "1.2.3"

  s.require_paths = ["lib".freeze]
  s.authors = ["Nobody".freeze]
  s.description = "s.name = \"other\"".freeze
  s.licenses = ["MIT".freeze]
end
