Set-Content -Path $env:TEMP\t1546_choco.txt -Value lab
& cmd.exe /c echo lab
