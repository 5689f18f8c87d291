FROM mcr.microsoft.com/dotnet/runtime:9.0-azurelinux3.0-distroless
CMD ["app"]
