FROM debian:12
RUN awk '{ print $1 }' /a && gawk '{ print $1 }' /a && perl -pe 's/$a/b/' /a && jq '.a | $b' /a
RUN sed -i '$d' /a && sed -n '$p' /a
RUN sh -c 'echo $HOME' && /bin/bash -c 'echo $HOME' && gosu app sh -c 'echo $HOME' && find / -exec sh -c 'echo $1' _ {} +
RUN trap 'rm $f' EXIT; eval 'x=$y'; envsubst '$HOME' < /a; dpkg-query -f '${Package}' -W
RUN echo '100 $' 'a$' '$$' "$HOME" \$HOME
RUN PS1='$x' true
RUN cat <<E
'$HOME'
E
RUN cat <<'E'
'$HOME'
E
RUN ["echo", "'$HOME'"]
