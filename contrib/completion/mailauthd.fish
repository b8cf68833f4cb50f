# Completes mailauthd in fish. "mailauthd __complete WORD..." prints what the last word may become.
function __mailauthd_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :directories
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c mailauthd -f -a '(__mailauthd_complete)'
