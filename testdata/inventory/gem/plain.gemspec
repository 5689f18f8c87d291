# a specification as RubyGems 1.3 wrote it

Gem::Specification.new do |spec|
  spec.name = %q{plain}
  spec.version = Gem::Version.new("0.9")
  spec.licenses = ["Ruby", "BSD-2-Clause"]
end
