# expect: 3 4
FROM ruby:3.4
RUN gem install rails bundler:2.6.2
RUN gem i rake
