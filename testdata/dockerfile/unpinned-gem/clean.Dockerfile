FROM ruby:3.4
RUN gem install rails:8.0.2 ./x.gem
RUN gem install rails -v 8.0.2
RUN gem install --version=8.0.2 rails
RUN gem update
RUN gem install nokogiri:1.18 -- --use-system-libraries
