{application, mooring, [{vsn, git}
