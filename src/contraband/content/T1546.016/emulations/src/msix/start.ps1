Set-Content -Path $env:TEMP\t1546_msix.txt -Value lab
