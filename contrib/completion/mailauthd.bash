# Completes mailauthd in bash. "mailauthd __complete WORD..." prints what the last word may become.
_mailauthd() {
	local line=${COMP_LINE:0:COMP_POINT} word last candidate
	local -a words
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=("")
	word=${words[-1]}
	# readline replaces only what is after the last of these characters, such as the @ of an address.
	last=${word##*["$COMP_WORDBREAKS"]}
	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		case $candidate in
		:files)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$last")
			;;
		:directories)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -d -- "$last")
			;;
		*) COMPREPLY+=("${candidate#"${word%"$last"}"}") ;;
		esac
	done < <("$1" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _mailauthd mailauthd
