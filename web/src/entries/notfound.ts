import '../styles/base.css';
import '../styles/shell.css';
import { askServer } from '../reading/served';
import { keepToken } from '../runtime/token';
import { mountSearch } from '../search';
import { mountSettings } from '../settings';

keepToken(); // before anything looks at the address
mountSettings(document);
mountSearch(document);
void askServer(document);
