FROM ruby:3.4
RUN gem install bundler
RUN gem install bundler:2.5
RUN gem install bundler -v 2.5
RUN gem install bundler --version 2.5
RUN gem install bundler --version=2.5
RUN gem install a:1 b
RUN gem i bundler
RUN gem update
RUN gem install nokogiri:1 -- --use-system-libraries
# found by hadolint: 2 7 8
