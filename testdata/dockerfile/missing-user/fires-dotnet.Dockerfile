FROM mcr.microsoft.com/dotnet/aspnet:8.0-jammy
CMD ["app"]
# expect: 1
